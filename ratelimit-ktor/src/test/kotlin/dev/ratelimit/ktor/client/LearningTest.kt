package dev.ratelimit.ktor.client

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.reset
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.ktor.client.engine.mock.respond
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.plugins.ClientRequestException
import io.ktor.client.request.get
import io.ktor.http.HttpStatusCode
import io.ktor.http.headers
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlin.random.Random
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class LearningTest :
    FunSpec({
        /** Answers as [script] says, the rest with 200. */
        fun VirtualClient.answers(vararg script: Pair<HttpStatusCode, Map<String, String>>) {
            val left = script.toMutableList()
            answer = {
                val next = left.removeFirstOrNull()
                if (next ==
                    null
                ) {
                    respondOk()
                } else {
                    respond("", next.first, headers { next.second.forEach { (name, value) -> append(name, value) } })
                }
            }
        }

        fun refusal(seconds: Int) = HttpStatusCode.TooManyRequests to mapOf("Retry-After" to "$seconds")

        /** No jitter. A pause is longer by a microsecond at most, which virtual time rounds up to a millisecond. */
        fun HttpRequestRateLimitConfig.exactly() {
            random = object : Random() {
                override fun nextBits(bitCount: Int) = 0
            }
        }

        test("a refusal makes all who share the bucket wait, in whatever line they stand, and nobody else") {
            virtually { scope ->
                val client =
                    limited {
                        exactly()
                        hosts("a.org", "b.org", limit = 10.perSecond)
                        otherHosts(10.perSecond)
                    }
                answers(refusal(5))
                client.get("http://a.org/").status shouldBe HttpStatusCode.TooManyRequests
                listOf("a.org", "b.org", "c.org").map { scope.launch { client.get("http://$it/") } }.joinAll()
                seen shouldContainExactly listOf(Seen(0, "a.org"), Seen(0, "c.org"), Seen(5001, "a.org"), Seen(5100, "b.org"))
            }
        }

        test("those who wait already wait for the pause too, and then come one by one, not in a burst") {
            virtually { scope ->
                val client =
                    limited {
                        exactly()
                        otherHosts(10.perSecond)
                    }
                answers(*Array(9) { HttpStatusCode.OK to emptyMap<String, String>() }, refusal(5))
                repeat(10) { client.get("http://a.org/") }
                List(4) { scope.launch { client.get("http://a.org/") } }.joinAll()
                seen.drop(10).map { it.at } shouldContainExactly listOf(5000L, 5100L, 5200L, 5300L)
            }
        }

        test("a window pauses as a bucket does") {
            virtually {
                val client =
                    limited {
                        exactly()
                        otherHosts(RateLimit.slidingLog(100, 1.seconds), RateLimit.fixedWindow(100, 1.minutes))
                    }
                answers(refusal(7))
                repeat(2) { client.get("http://a.org/") }
                seen.map { it.at } shouldContainExactly listOf(0L, 7001L)
            }
        }

        test("several refusals of one moment are one pause, the longest") {
            virtually { scope ->
                val client =
                    limited {
                        exactly()
                        otherHosts(10.perSecond)
                    }
                answers(refusal(3), refusal(8), refusal(5))
                List(3) { scope.launch { client.get("http://a.org/") } }.joinAll()
                client.get("http://a.org/")
                seen.last().at shouldBe 8000
            }
        }

        test("a hostile pause is cut at maxPause, and no hint ever loosens a limit") {
            virtually {
                val client =
                    limited {
                        exactly()
                        maxPause = 1.minutes
                        otherHosts(1.perSecond)
                    }
                answers(
                    HttpStatusCode.TooManyRequests to mapOf("Retry-After" to "99999999999999999999"),
                    HttpStatusCode.OK to mapOf("RateLimit" to "\"d\";r=1000000;t=1"),
                    HttpStatusCode.OK to mapOf("X-RateLimit-Remaining" to "1000000", "X-RateLimit-Reset" to "1"),
                )
                repeat(4) { client.get("http://a.org/") }
                seen.map { it.at } shouldContainExactly listOf(0L, 60_000L, 61_000L, 62_000L)
            }
        }

        test("a pause is a wait like others: too long for maxWait, it is refused at once") {
            virtually { scope ->
                val client =
                    limited {
                        exactly()
                        maxWait = 2.seconds
                        otherHosts(10.perSecond)
                    }
                answers(refusal(5))
                client.get("http://a.org/")
                val refusal = shouldThrow<RateLimitExceededException> { client.get("http://a.org/") }.result
                refusal.retryAfterNanos() shouldBe 5_000_001_000
                // Not the limit that stands for the pause, which nobody has written.
                refusal.limit() shouldBe 10.perSecond
                scope.currentTime shouldBe 0
            }
        }

        test("a quota that is used up pauses until its reset, one that is scarce is spread") {
            virtually {
                val client =
                    limited {
                        exactly()
                        otherHosts(100.perSecond)
                    }
                val scarce = { left: Int, reset: Int ->
                    HttpStatusCode.OK to
                        mapOf("RateLimit" to "limit=100, remaining=$left, reset=$reset")
                }
                answers(scarce(2, 8), scarce(1, 4), scarce(0, 3))
                repeat(4) { client.get("http://a.org/") }
                seen.map { it.at } shouldContainExactly listOf(0L, 4001L, 8002L, 11_003L)
            }
        }

        test("answers are learned from although expectSuccess makes exceptions of them") {
            virtually {
                val client =
                    client {
                        expectSuccess = true
                        limit {
                            exactly()
                            otherHosts(10.perSecond)
                        }
                    }
                answers(refusal(5))
                shouldThrow<ClientRequestException> { client.get("http://a.org/") }
                client.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 5001L)
            }
        }

        test("a pause that the store has lost holds all the same") {
            virtually {
                val client =
                    limited {
                        exactly()
                        hosts("a.org", limit = 10.perSecond)
                    }
                answers(refusal(5))
                client.get("http://a.org/")
                RateLimiter("http a.org", 10.perSecond, 1.perHour, store = store).reset()
                shouldThrow<RateLimitExceededException> { client.get("http://a.org/") { rateLimit { maxWait = 2.seconds } } }
                client.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 5000L)
            }
        }

        test("who does not want to learn does not") {
            virtually {
                val client =
                    limited {
                        learns = false
                        otherHosts(10.perSecond)
                    }
                answers(refusal(5))
                repeat(2) { client.get("http://a.org/") }
                seen.map { it.at } shouldContainExactly listOf(0L, 0L)
            }
        }

        test("a thousand clients that are told five seconds come back none early, over a second or more") {
            virtually { scope ->
                val clients =
                    List(1_000) {
                        client {
                            install(HttpRequestRateLimit) {
                                store = MemoryStore(NanoClock { scope.currentTime * 1_000_000 })
                                random = Random(it)
                                otherHosts(10.perSecond)
                            }
                        }
                    }
                answers(*Array(1_000) { refusal(5) })
                clients.map { scope.launch { repeat(2) { _ -> it.get("http://a.org/") } } }.joinAll()
                val back = seen.drop(1_000).map { it.at }
                back shouldHaveSize 1_000
                back.min() shouldBeGreaterThanOrEqualTo 5000L
                (back.max() - back.min()) shouldBeInRange 1_000L..1_300L
            }
        }

        test("what was learned is told") {
            virtually {
                val client =
                    limited {
                        exactly()
                        otherHosts(1.perSecond)
                        maxWait = 10.seconds
                    }
                val told = mutableListOf<String>()
                client.monitor.subscribe(RateLimitEvents.Learned) { told += "${it.limiter} ${it.source} ${it.pause}" }
                client.monitor.subscribe(RateLimitEvents.Waited) { told += "waited ${it.waited} for ${it.url}" }
                client.monitor.subscribe(RateLimitEvents.Refused) { told += "refused ${it.result.limit().burst()}" }
                answers(refusal(5))
                repeat(2) { client.get("http://a.org/") }
                answers(refusal(60))
                client.get("http://a.org/")
                shouldThrow<RateLimitExceededException> { client.get("http://a.org/") }
                told shouldContainExactly
                    listOf(
                        "http other hosts Retry-After 5s",
                        "waited 5s for http://a.org/",
                        "waited 1s for http://a.org/",
                        "http other hosts Retry-After 1m",
                        "refused 1",
                    )
            }
        }

        test("adaptive: a refusal halves the rate, good answers raise it again, never above the limit") {
            virtually { scope ->
                val client =
                    limited {
                        adaptive = true
                        otherHosts(10.perSecond.withBurst(1))
                    }
                answers(HttpStatusCode.TooManyRequests to emptyMap())
                client.get("http://a.org/")
                val start = scope.currentTime
                val end = start + 20_000
                while (scope.currentTime < end) client.get("http://a.org/")
                val perSecond = seen.drop(1).groupingBy { (it.at - start) / 1000 }.eachCount()
                perSecond.getValue(1) shouldBe 5.coerceAtLeast(perSecond.getValue(1).coerceAtMost(6))
                (perSecond.getValue(18) >= 9) shouldBe true
                perSecond.values.all { it <= 11 } shouldBe true
            }
        }

        test("adaptive: refusals of requests that were under way together count once") {
            virtually { scope ->
                val client =
                    limited {
                        adaptive = true
                        otherHosts(10.perSecond)
                    }
                answer = {
                    delay(100)
                    respond("", HttpStatusCode.TooManyRequests)
                }
                List(10) { scope.launch { client.get("http://a.org/") } }.joinAll()
                answer = { respondOk() }
                seen.clear()
                repeat(10) { client.get("http://a.org/") }
                // Half of ten a second, not a thousandth of it.
                (seen.last().at - seen.first().at) shouldBeInRange 800L..2_500L
            }
        }
    })
