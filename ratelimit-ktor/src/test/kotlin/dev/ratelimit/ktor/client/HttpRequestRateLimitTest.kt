package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.RateLimitListener
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.retryAfter
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.request.get
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import java.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class HttpRequestRateLimitTest :
    FunSpec({
        test("two named hosts share one bucket") {
            virtually {
                val client = limited { hosts("www.sec.gov", "data.sec.gov", limit = 1.perSecond) }
                client.get("https://www.sec.gov/a")
                client.get("https://data.sec.gov/b")
                client.get("http://WWW.SEC.GOV:8080/c")
                seen.map { it.at } shouldContainExactly listOf(0L, 1000L, 2000L)
            }
        }

        test("other hosts have a bucket each, and ports of a host share it") {
            virtually {
                val client = limited { otherHosts(1.perSecond) }
                client.get("http://a.org/")
                client.get("http://b.org/")
                client.get("http://a.org:81/")
                client.get("http://b.org./")
                seen shouldContainExactly listOf(Seen(0, "a.org"), Seen(0, "b.org"), Seen(1000, "a.org"), Seen(1000, "b.org."))
            }
        }

        test("hosts without a rule are not limited") {
            virtually { scope ->
                val client = limited { hosts("a.org", limit = 1.perSecond) }
                repeat(100) { client.get("http://b.org/") }
                scope.currentTime shouldBe 0
            }
        }

        test("requests made together are sent in their order") {
            virtually { scope ->
                val client = limited { otherHosts(2.perSecond.withBurst(1)) }
                val order = mutableListOf<String>()
                answer = {
                    order += it.url.encodedPath
                    respondOk()
                }
                (1..5).map { scope.async { client.get("http://a.org/$it") } }.awaitAll()
                order shouldContainExactly (1..5).map { "/$it" }
                seen.map { it.at } shouldContainExactly listOf(0L, 500L, 1000L, 1500L, 2000L)
            }
        }

        test("a wait beyond maxWait is refused at once") {
            virtually { scope ->
                val client =
                    limited {
                        otherHosts(1.perSecond)
                        maxWait = 1500.milliseconds
                    }
                client.get("http://a.org/1")
                scope.launch { client.get("http://a.org/2") }
                scope.runCurrent()
                val refusal = shouldThrow<RateLimitExceededException> { client.get("http://a.org/3") }
                scope.currentTime shouldBe 0
                refusal.result.refusal() shouldBe Refusal.MAX_WAIT
                refusal.result.retryAfter shouldBe 2.seconds
                client.get("http://b.org/")
            }
        }

        test("a request that is cancelled while it waits costs nothing") {
            virtually { scope ->
                val client = limited { otherHosts(1.perSecond) }
                client.get("http://a.org/1")
                val second = scope.launch { client.get("http://a.org/2") }
                val third = scope.launch { client.get("http://a.org/3") }
                scope.runCurrent()
                second.cancel()
                third.join()
                seen.map { it.at } shouldContainExactly listOf(0L, 1000L)
                client.get("http://a.org/4")
                scope.currentTime shouldBe 2000
            }
        }

        test("closing the client ends the wait, at no cost") {
            virtually { scope ->
                val client = limited { hosts("a.org", limit = 1.perSecond) }
                client.get("http://a.org/1")
                var failure: Throwable? = null
                val waiting = scope.launch { failure = runCatching { client.get("http://a.org/2") }.exceptionOrNull() }
                scope.runCurrent()
                client.engine.coroutineContext.job.cancel()
                waiting.join()
                (failure is CancellationException) shouldBe true
                scope.currentTime shouldBe 0
                seen.size shouldBe 1
            }
        }

        test("clients with the same store and rules share their buckets") {
            virtually {
                val one = limited { hosts("a.org", limit = 1.perSecond) }
                val other = limited { hosts("A.org", limit = 1.perSecond) }
                one.get("http://a.org/")
                other.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 1000L)
            }
        }

        test("a listener is told how long a request waited, and of which host") {
            virtually { scope ->
                val waits = mutableListOf<Triple<String, Any?, Duration>>()
                val client =
                    limited {
                        hosts("a.org", limit = 1.perSecond)
                        otherHosts(1.perSecond)
                        listener =
                            object : RateLimitListener {
                                override fun onGrant(limiter: String, key: Any?, permits: Long, waited: Duration) {
                                    waits += Triple(limiter, key, waited)
                                }
                            }
                    }
                repeat(2) { client.get("http://a.org/") }
                client.get("http://b.org/")
                waits shouldContainExactly
                    listOf(
                        Triple("http a.org", null, Duration.ZERO),
                        Triple("http a.org", null, Duration.ofSeconds(1)),
                        Triple("http other hosts", "b.org", Duration.ZERO),
                    )
                scope.currentTime shouldBe 1000
            }
        }

        test("a request that a plugin further in refuses gives its permit back") {
            virtually { scope ->
                val client =
                    client {
                        limit { otherHosts(1.perSecond) }
                        install(Refusing)
                    }
                repeat(3) { shouldThrow<IllegalStateException> { client.get("http://a.org/") } }
                seen.shouldBeEmpty()
                scope.currentTime shouldBe 0
            }
        }
    })
