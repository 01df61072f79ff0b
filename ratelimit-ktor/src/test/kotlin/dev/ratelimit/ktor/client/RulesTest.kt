package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.peek
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.request.get
import io.ktor.client.request.header
import io.ktor.client.request.post
import io.ktor.http.HttpMethod
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

class RulesTest :
    FunSpec({
        test("any function of the request can name a bucket; null is none") {
            virtually {
                val client = limited { limit("api key", 1.perSecond) { it.headers["X-Api-Key"] } }
                listOf("a", "b", "a", null, null).forEach { key -> client.get("http://a.org/") { key?.let { header("X-Api-Key", it) } } }
                seen.map { it.at } shouldContainExactly listOf(0L, 0L, 1000L, 1000L, 1000L)
            }
        }

        test("several rules are asked together: all grant, or none is charged") {
            virtually { scope ->
                val client =
                    limited {
                        hosts("a.org", limit = 2.perSecond.withBurst(1))
                        hosts("b.org", limit = 100.perHour)
                        limit("all", 3.perMinute) { "all" }
                        maxWait = 1.seconds
                    }
                client.get("http://a.org/")
                client.get("http://a.org/")
                client.get("http://b.org/")
                scope.currentTime shouldBe 500
                shouldThrow<RateLimitExceededException> { client.get("http://b.org/") }.result.limit() shouldBe 3.perMinute
                // The host's permit was not taken by the request that the other rule refused.
                RateLimiter("http b.org", 100.perHour, store = store).peek().remaining() shouldBe 99
            }
        }

        test("hosts that wait do not hold up others at the rule that they share") {
            virtually { scope ->
                val client =
                    limited {
                        hosts("slow.org", limit = 1.perMinute)
                        otherHosts(100.perSecond)
                        limit("all", 10.perSecond.withBurst(1)) { "all" }
                    }
                val slow = List(2) { scope.launch { client.get("http://slow.org/") } }
                scope.runCurrent()
                List(3) { scope.launch { client.get("http://fast.org/") } }.joinAll()
                slow.joinAll()
                seen.filter { it.host == "fast.org" }.map { it.at } shouldContainExactly listOf(100L, 200L, 300L)
                seen.filter { it.host == "slow.org" }.map { it.at } shouldContainExactly listOf(0L, 60_000L)
            }
        }

        test("requests weigh what the function says") {
            virtually {
                val client =
                    limited {
                        otherHosts(10.perSecond)
                        weight { if (it.method == HttpMethod.Post) 5 else 1 }
                    }
                repeat(2) { client.post("http://a.org/") }
                client.get("http://a.org/")
                client.post("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 0L, 100L, 600L)
            }
        }

        test("a weight that is no weight, or more than the limit can ever give, fails the request and costs nothing") {
            virtually {
                var weight = 0L
                val client =
                    limited {
                        otherHosts(10.perSecond)
                        weight { weight }
                    }
                shouldThrow<IllegalArgumentException> { client.get("http://a.org/") }.message shouldContain
                    "weight 0 of a request is not positive"
                weight = -3
                shouldThrow<IllegalArgumentException> { client.get("http://a.org/") }.message shouldContain "-3"
                weight = 11
                shouldThrow<IllegalArgumentException> { client.get("http://a.org/") }.message shouldContain "11"
                weight = 10
                client.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L)
            }
        }

        test("one request can have it otherwise") {
            virtually { scope ->
                val client = limited { otherHosts(2.perSecond) }
                client.get("http://a.org/") { rateLimit { permits = 2 } }
                client.get("http://a.org/") { rateLimit { enabled = false } }
                shouldThrow<RateLimitExceededException> { client.get("http://a.org/") { rateLimit { maxWait = Duration.ZERO } } }
                scope.currentTime shouldBe 0
                client.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 0L, 500L)
                shouldThrow<IllegalArgumentException> { client.get("http://a.org/") { rateLimit { permits = 0 } } }.message shouldContain
                    "permits 0"
                shouldThrow<IllegalArgumentException> {
                    client.get("http://a.org/") { rateLimit { maxWait = (-1).seconds } }
                }.message shouldContain
                    "maxWait -1s"
            }
        }

        test("one request can ask a limiter of its own besides") {
            virtually {
                val client = limited { hosts("a.org", limit = 100.perSecond) }
                val own = RateLimiter("own", 1.perSecond, store = store)
                repeat(2) { client.get("http://a.org/") { rateLimit { limiter = own } } }
                repeat(2) { client.get("http://b.org/") { rateLimit { limiter = own } } }
                seen.map { it.at } shouldContainExactly listOf(0L, 1000L, 2000L, 3000L)
            }
        }

        test("so many at once for each host, and no more") {
            virtually { scope ->
                var now = 0
                var most = 0
                val client =
                    limited {
                        otherHosts(1000.perSecond)
                        maxInFlight = 2
                    }
                answer = {
                    most = maxOf(most, ++now)
                    delay(1_000)
                    now--
                    respondOk()
                }
                List(6) { scope.launch { client.get("http://a.org/") } }.joinAll()
                most shouldBe 2
                scope.currentTime shouldBe 3_000
                List(2) { i -> scope.launch { client.get("http://$i.org/") } }.joinAll()
                scope.currentTime shouldBe 4_000
            }
        }

        test("who waits for a place and leaves has taken neither place nor permit") {
            virtually { scope ->
                val client =
                    limited {
                        otherHosts(2.perHour)
                        maxInFlight = 1
                    }
                answer = {
                    delay(1_000)
                    respondOk()
                }
                val first = scope.launch { client.get("http://a.org/") }
                scope.runCurrent()
                val second = scope.launch { client.get("http://a.org/") }
                scope.runCurrent()
                second.cancelAndJoin()
                first.join()
                client.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 1_000L)
            }
        }

        test("a place that does not come within maxWait is a refusal") {
            virtually { scope ->
                val client =
                    limited {
                        otherHosts(100.perSecond)
                        maxInFlight = 1
                        maxWait = 2.seconds
                    }
                answer = {
                    delay(60_000)
                    respondOk()
                }
                val first = scope.launch { client.get("http://a.org/") }
                scope.runCurrent()
                shouldThrow<RateLimitExceededException> { client.get("http://a.org/") }
                scope.currentTime shouldBe 2_000
                first.join()
            }
        }

        test("a request that fails leaves its place") {
            virtually {
                val client =
                    limited {
                        otherHosts(100.perSecond)
                        maxInFlight = 1
                        maxWait = Duration.ZERO
                    }
                answer = { error("cut") }
                repeat(3) { shouldThrow<IllegalStateException> { client.get("http://a.org/") }.message shouldBe "cut" }
            }
        }

        test("what cannot be meant is refused when the client is made") {
            fun refused(configure: HttpRequestRateLimitConfig.() -> Unit) =
                shouldThrow<IllegalArgumentException> { HttpRequestRateLimitConfig().apply(configure).rules() }.message.orEmpty()
            refused { limit(" ", 1.perSecond) { "x" } } shouldContain "name of a limit is empty"
            refused { limit("x") { "x" } } shouldContain "limit 'x' has no limit"
            refused {
                limit("x", 1.perSecond) { "x" }
                limit("x", 2.perSecond) { "x" }
            } shouldContain "two limits named 'x'"
            refused {
                hosts("a.org", limit = 1.perSecond)
                limit("a.org", 1.perSecond) { "x" }
            } shouldContain "'a.org' is named like a rule about hosts"
            refused { maxInFlight = 0 } shouldContain "maxInFlight 0 is not positive"
            refused { maxPause = Duration.ZERO } shouldContain "maxPause 0s is not a positive time"
            refused { maxPause = Duration.INFINITE } shouldContain "maxPause Infinity"
        }
    })
