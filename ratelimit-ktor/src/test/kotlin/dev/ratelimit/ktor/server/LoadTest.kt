package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.perHour
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.seconds

/** Load from other processes, over connections that stay open. */
class LoadTest :
    FunSpec({
        for (engine in engines) {
            test("two processes that call as fast as they can get the limit, to the call: ${engine.javaClass.simpleName}") {
                limited(
                    {
                        rule("/*") {
                            perIp(500.perHour, 700.perHour.withBurst(700))
                            global(1_000.perHour)
                        }
                    },
                    engine = engine,
                ) {
                    val loads = List(2) { LoadProcess("http://127.0.0.1:$port/api", CALLS) }
                    val answers = loads.map { load -> load.use { it.answers() } }
                    answers.sumOf { it[200] ?: 0 } shouldBe 500
                    answers.sumOf { it[429] ?: 0 } shouldBe 2 * CALLS - 500
                    application.rateLimiting.peek("/*", "global", null)[0].remaining() shouldBe 500
                    eventually(10.seconds) {
                        val counts = application.rateLimiting.counts().getValue("/*")
                        listOf(counts.allowed, counts.denied) shouldBe listOf(500L, 2L * CALLS - 500)
                    }
                }
            }
        }
    })

private const val CALLS = 2_000
