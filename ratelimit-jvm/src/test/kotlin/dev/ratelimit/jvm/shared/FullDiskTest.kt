package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.redis.rig.Spawner
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries

/** No room on the disk, when the file is made and when it grows. */
internal class FullDiskTest :
    FunSpec({
        val file = Layout.cellsAt(Layout.groupsFor(100))
        val whole = file / 1024 + 16

        test("camunda#6504, mapdb#442: a full tmpfs of 64 KiB: the error tells, and nothing is left").config(enabled = canMount) {
            onTmpfs(64) { folder ->
                call(folder) { ended, said ->
                    ended shouldBe OneCall.REFUSED
                    said shouldContain "${folder.resolve("limits")} cannot be opened"
                    said shouldContain "No space left on device"
                    said shouldContain REMEDY
                }
                folder.listDirectoryEntries() shouldBe emptyList()
            }
        }

        test("camunda#6504, mapdb#442: a tmpfs with room for the file but not for its growth").config(enabled = canMount) {
            onTmpfs(whole) { folder ->
                call(folder) { ended, said ->
                    ended shouldBe OneCall.REFUSED
                    said shouldContain "bucket 5"
                    said shouldContain "cannot grow: No space left on device; make room on its file system"
                }
                // What does not grow goes on.
                call(folder) { _, said -> said shouldContain "bucket 0" }
            }
        }

        val canLimit = Spawner.succeeds(listOf("sh", "-c", "ulimit -f 64"))
        test("camunda#6504, mapdb#442: a limit on the size of files acts as a full disk").config(enabled = canLimit) {
            val folder = Files.createTempDirectory("ratelimit")
            // In blocks of 512 bytes, as far as a plain shell goes.
            for ((blocks, expected) in listOf(128L to "cannot be opened", 2 * whole to "cannot grow")) {
                val prefix = listOf("sh", "-c", "ulimit -f $blocks; exec \"$@\"", "sh")
                ChildJvm(OneCall::class, listOf("${folder.resolve("limits")}"), prefix = prefix).use { child ->
                    withClue("$blocks blocks") {
                        child.ended() shouldBe OneCall.REFUSED
                        child.said.joinToString("\n") shouldContain expected
                    }
                }
            }
            folder.listDirectoryEntries().forEach(Files::delete)
            Files.delete(folder)
        }
    })

private val canMount: Boolean by lazy {
    val folder = Files.createTempDirectory("ratelimit")
    val mounted = isRoot() && Spawner.succeeds(mount(folder, 64))
    if (mounted) Spawner.succeeds(listOf("umount", "$folder"))
    Files.delete(folder)
    mounted
}

private fun mount(
    folder: Path,
    kibibytes: Long,
) = listOf("mount", "-t", "tmpfs", "-o", "size=${kibibytes}k", "tmpfs", "$folder")

private fun onTmpfs(
    kibibytes: Long,
    action: (Path) -> Unit,
) {
    val folder = Files.createTempDirectory("ratelimit")
    Spawner.succeeds(mount(folder, kibibytes)) shouldBe true
    try {
        action(folder)
    } finally {
        Spawner.succeeds(listOf("umount", "$folder"))
        Files.delete(folder)
    }
}

private fun call(
    folder: Path,
    check: (Int, String) -> Unit,
) = ChildJvm(OneCall::class, listOf("${folder.resolve("limits")}")).use { child ->
    val ended = child.ended()
    val said = child.said.joinToString("\n")
    withClue(said) { check(ended, said) }
}
