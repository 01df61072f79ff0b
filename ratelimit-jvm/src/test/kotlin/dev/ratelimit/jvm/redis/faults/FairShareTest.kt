package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.jvm.redis.rig.RedisServer
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeBetween
import io.kotest.matchers.longs.shouldBeAtLeast
import io.kotest.matchers.longs.shouldBeAtMost
import java.io.File
import kotlin.time.TimeSource

/** Two real processes on one key. */
internal class FairShareTest :
    FunSpec({
        test("two processes that wait on one key get 40 to 60 % each over ten seconds, and together no more than the limit") {
            RedisServer().use { server ->
                val java = File(System.getProperty("java.home"), "bin/java").path
                val main =
                    listOf(java, "-cp", System.getProperty("java.class.path"), "dev.ratelimit.jvm.redis.faults.FairChildKt", server.uri)
                val children = List(2) { ProcessBuilder(main).redirectErrorStream(true).start() }
                try {
                    val said = children.map { it.inputStream.bufferedReader() }
                    said.forEach { lines -> lines.lineSequence().first { it == READY } }
                    val started = TimeSource.Monotonic.markNow()
                    children.forEach { child -> child.outputWriter().apply { write("$GO\n") }.flush() }
                    val granted = said.map { lines -> lines.lineSequence().first { it.startsWith(GRANTED) }.removePrefix(GRANTED).toLong() }
                    granted.sum() shouldBeAtMost CHILD_BURST + CHILD_RATE * started.elapsedNow().inWholeMilliseconds / 1_000 + 1
                    granted.sum() shouldBeAtLeast CHILD_RATE * CHILD_SECONDS / 2
                    for (share in granted) (share.toDouble() / granted.sum()).shouldBeBetween(0.4, 0.6, 0.0)
                } finally {
                    children.forEach { it.destroyForcibly().waitFor() }
                }
            }
        }
    })
