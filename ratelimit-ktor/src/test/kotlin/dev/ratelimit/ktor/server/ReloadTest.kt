package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempfile
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.server.config.ConfigLoader
import io.ktor.server.config.ConfigLoader.Companion.load
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.FileTime
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ReloadTest :
    FunSpec({
        test("other numbers find the same buckets, in whatever order limits stand") {
            limited({ rule("/*") { perIp(5.perHour, 3.perMinute) } }) {
                get().status shouldBe 200
                application.rateLimiting.reload { rule("/*") { perIp(9.perMinute, 8.perHour) } }
                get().status shouldBe 200
                val left = application.rateLimiting.peek("/*", "ip", "127.0.0.1")
                left.map { it.limit().burst() to it.remaining() } shouldContainExactly listOf(9L to 1L, 8L to 3L)
            }
        }

        test("settings that cannot be meant change nothing") {
            limited(
                {
                    rule("/*") { perIp(2.perHour) }
                    limit("search") { global(9.perHour) }
                },
                { routing { rateLimited("search") { get("/") { call.respondText("ok") } } } },
            ) {
                get()
                shouldThrow<IllegalArgumentException> { application.rateLimiting.reload { } }.message shouldContain "has no rule"
                shouldThrow<IllegalArgumentException> { application.rateLimiting.reload { rule("/*") { perIp(100.perHour) } } }
                    .message shouldContain "routes are limited by 'search'"
                List(2) { get().status } shouldContainExactly listOf(200, 429)
            }
        }

        test("a file that has changed is read again; one that cannot be meant is not") {
            val file = tempfile(suffix = ".yaml").toPath()
            val written = Written(file)

            fun write(text: String) = written.write("rateLimiting:\n  rules:\n    - match: /*\n      perIp: $text\n")
            write("1/1h")
            val reads = AtomicInteger()
            limited({
                reads.incrementAndGet()
                from(ConfigLoader.load(file.toString()).config("rateLimiting"))
                watch(file, every = 10.milliseconds)
            }) {
                fun burst() = application.rateLimiting.rules[0].scopes[0].limits[0].burst()
                List(2) { get().status } shouldContainExactly listOf(200, 429)
                write("3/1h")
                eventually(10.seconds) { burst() shouldBe 3 }
                // What was left, refilled at the new rate.
                later(1.hours)
                List(4) { get().status } shouldContainExactly listOf(200, 200, 200, 429)
                for (nonsense in listOf("nonsense", "5/1h\n  - [", "{", "5/1h\n rules: 7")) {
                    val before = reads.get()
                    write(nonsense)
                    eventually(10.seconds) { reads.get() shouldBeGreaterThan before }
                    burst() shouldBe 3
                }
                write("4/1h")
                eventually(10.seconds) { burst() shouldBe 4 }
            }
        }

        test("a file of HOCON that is half-written, or gone for a moment, ends nothing") {
            val file = tempfile(suffix = ".conf").toPath()
            val written = Written(file)

            fun settings(burst: Int) = """rateLimiting { rules = [ { match = "/*", perIp = "$burst/1h" } ] }"""
            written.write(settings(1))
            val reads = AtomicInteger()
            limited({
                reads.incrementAndGet()
                from(ConfigLoader.load(file.toString()).config("rateLimiting"))
                watch(file, every = 10.milliseconds)
            }) {
                fun burst() = application.rateLimiting.rules[0].scopes[0].limits[0].burst()
                for (half in listOf(settings(2).take(20), "rateLimiting = [", "", "\u0000")) {
                    val before = reads.get()
                    written.write(half)
                    eventually(10.seconds) { reads.get() shouldBeGreaterThan before }
                    burst() shouldBe 1
                }
                Files.delete(file)
                written.write(settings(3))
                eventually(10.seconds) { burst() shouldBe 3 }
            }
        }

        test("a switch in a file that was turned there turns the switch; a limit that is new and named by no route is refused") {
            limited({ rule("/*") { perIp(1.perHour) } }) {
                fun reload(isOn: Boolean) =
                    application.rateLimiting.reload {
                        isEnabled = isOn
                        rule("/*") { perIp(1.perHour) }
                    }
                List(2) { get().status } shouldContainExactly listOf(200, 429)
                reload(false)
                get().status shouldBe 200
                application.rateLimiting.isEnabled = true
                // The file says what it said before.
                reload(false)
                get().status shouldBe 429
                shouldThrow<IllegalArgumentException> {
                    application.rateLimiting.reload {
                        rule("/*") { perIp(1.perHour) }
                        limit("search") { global(1.perHour) }
                    }
                }.message shouldContain "no route is limited by 'search'"
            }
        }

        test("limits that no route names could never be reached, and routes cannot name limits that are not there") {
            shouldThrow<Exception> { limited({ limit("search") { global(1.perHour) } }) { get() } }.allMessages() shouldContain
                "no route is limited by 'search'"
            shouldThrow<Exception> {
                limited({ limit("search") { global(1.perHour) } }, { routing { rateLimited("serach") { } } }) { get() }
            }.allMessages() shouldContain "there is no limit 'serach' for routes"
        }
    })

/** A file whose time moves on by a second with each change, however fast they come. */
private class Written(
    private val file: Path,
) {
    private var time = 1_000L

    fun write(text: String) {
        Files.writeString(file, text)
        Files.setLastModifiedTime(file, FileTime.fromMillis(time))
        time += 1_000
    }
}

private fun Throwable.allMessages() = generateSequence(this) { it.cause }.joinToString { it.message.orEmpty() }
