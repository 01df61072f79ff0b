package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.SharedMemoryStore
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.WRITE
import java.util.concurrent.TimeUnit
import kotlin.io.path.deleteIfExists
import kotlin.io.path.deleteRecursively
import kotlin.io.path.fileSize
import kotlin.io.path.writeBytes

/** What happens to the file while other threads ask it without pause, in a JVM of its own, which must live and tell no lies. */
internal class MappedFaultTest :
    FunSpec({
        val speeds =
            mapOf("just started" to emptyList(), "compiled" to emptyList(), "compiled by C1" to listOf("-XX:TieredStopAtLevel=1"))
        for ((speed, options) in speeds) {
            test("camunda#6504, mapdb#442: cut short, deleted or replaced while mapped: no JVM dies, all is well in a second ($speed)") {
                val folder = Files.createTempDirectory("ratelimit")
                val path = folder.resolve("limits")
                val calls = if (speed == "just started") 1_000 else 200_000
                try {
                    ChildJvm(RestlessCaller::class, listOf("$path", "$calls"), options).use { child ->
                        child.await("warm")
                        for ((name, fault) in FAULTS) {
                            withClue(name) {
                                val since = System.nanoTime()
                                fault(path)
                                child.settled(since, "omf")
                                val deleted = System.nanoTime()
                                path.deleteIfExists()
                                val took = child.settled(deleted, "o")
                                withClue("$took ms") { took shouldBeLessThan SLACK_MILLIS }
                            }
                        }
                        child.isAlive shouldBe true
                    }
                } finally {
                    @OptIn(kotlin.io.path.ExperimentalPathApi::class)
                    folder.deleteRecursively()
                }
            }
        }
    })

/** A second, and what a busy machine takes. */
private const val SLACK_MILLIS = 4_000L
private const val CALM = 5
private val MOMENT = Regex("\\d+ [omf-]+( odd .*)?")

/**
 * Waits until every way has fared as one of [fates] (o decided, f failed, m both) for some moments, and tells after how many milliseconds
 * that began. No way may stand still for long, and nothing odd may be said.
 */
private fun ChildJvm.settled(
    since: Long,
    fates: String,
): Long {
    fun moments() = said.filter { MOMENT.matches(it) && it.substringBefore(' ').toLong() - since > 0 }

    fun isCalm(moment: String) = moment.split(' ')[1].all { it in fates }

    fun firstCalm(): Int =
        moments().let { all -> all.indices.firstOrNull { i -> i + CALM <= all.size && all.subList(i, i + CALM).all(::isCalm) } ?: -1 }
    await("calm $fates") { moments().any { "odd" in it } || firstCalm() >= 0 }
    moments().forEach { it shouldNotContain "odd" }
    return TimeUnit.NANOSECONDS.toMillis(moments()[firstCalm()].substringBefore(' ').toLong() - since)
}

private fun truncate(
    path: Path,
    size: Long,
) = FileChannel.open(path, WRITE).use { it.truncate(size) }

private fun replace(
    path: Path,
    make: (Path) -> Unit,
) {
    val other = path.resolveSibling("other")
    other.deleteIfExists()
    make(other)
    Files.move(other, path, java.nio.file.StandardCopyOption.REPLACE_EXISTING, java.nio.file.StandardCopyOption.ATOMIC_MOVE)
}

private val FAULTS: Map<String, (Path) -> Unit> =
    mapOf(
        "cut to nothing" to { truncate(it, 0) },
        "cut to one byte" to { truncate(it, 1) },
        "cut to half" to { truncate(it, Layout.cellsAt(Layout.groupsFor(1_000)) / 2) },
        "its last chunk cut" to { truncate(it, it.fileSize() - Arena.CHUNK_BYTES / 2) },
        "its first cells cut away" to { truncate(it, Layout.cellsAt(Layout.groupsFor(1_000))) },
        "deleted" to { it.deleteIfExists() },
        "deleted and made anew by another" to { path ->
            path.deleteIfExists()
            SharedMemoryStore.open(path, 10).close()
        },
        "replaced by a valid one" to { replace(it) { other -> SharedMemoryStore.open(other, 500).close() } },
        "replaced by a foreign one" to { replace(it) { other -> other.writeBytes(ByteArray(3_000_000) { 7 }) } },
        "replaced by an empty one" to { replace(it) { other -> other.writeBytes(ByteArray(0)) } },
        "a valid one copied over it" to { path ->
            val other = path.resolveSibling("other")
            other.deleteIfExists()
            SharedMemoryStore.open(other, 1_000).close()
            FileChannel.open(path, WRITE).use { it.write(java.nio.ByteBuffer.wrap(Files.readAllBytes(other)), 0) }
        },
        "zeros written over it" to { path -> FileChannel.open(path, WRITE).use { it.write(java.nio.ByteBuffer.allocate(2_000_000), 0) } },
    )
