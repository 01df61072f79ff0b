package dev.ratelimit.ktor.client

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.peek
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.maps.shouldContainExactly
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.ktor.client.engine.mock.respond
import io.ktor.client.engine.mock.respondError
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.plugins.HttpRequestTimeoutException
import io.ktor.client.plugins.HttpTimeout
import io.ktor.client.plugins.cache.HttpCache
import io.ktor.client.request.get
import io.ktor.client.request.prepareGet
import io.ktor.client.statement.bodyAsBytes
import io.ktor.client.statement.bodyAsChannel
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.contentLength
import io.ktor.http.headersOf
import io.ktor.utils.io.ByteChannel
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.availableForRead
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.writeFully
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent

private val page = randomBytes(1000)

/** When 1,000 bytes are there at 1,000 a second with a burst of 400. */
private val inTime = mapOf(0L to 400, 100L to 500, 200L to 600, 300L to 700, 400L to 800, 500L to 900, 600L to 1000)

class BandwidthDownloadTest :
    FunSpec({
        fun VirtualClient.pages() {
            answer = { respond(page, headers = headersOf(HttpHeaders.ContentLength, "${page.size}")) }
        }

        test("a streamed body comes chunk by chunk, at the limit's pace") {
            virtually { scope ->
                val client = limited { bandwidth(bytes(1000, burst = 400)) }
                pages()
                client.prepareGet("http://a.org/").execute {
                    it.contentLength() shouldBe 1000
                    val arrivals = it.arrivals(scope)
                    arrivals.soFar shouldContainExactly inTime
                    arrivals.content shouldBe page
                }
            }
        }

        test("a body that Ktor saves in memory takes the same time, and can be read twice") {
            virtually { scope ->
                val client = limited { bandwidth(bytes(1000, burst = 400)) }
                pages()
                val response = client.get("http://a.org/")
                scope.currentTime shouldBe 600
                repeat(2) { response.bodyAsBytes() shouldBe page }
                response.contentLength() shouldBe 1000
                scope.currentTime shouldBe 600
            }
        }

        test("nothing is read ahead of what is paid for") {
            virtually { scope ->
                val client = limited { bandwidth(bytes(1000, burst = 400)) }
                val body = ByteChannel()
                answer = { respond(body) }
                scope.launch { client.get("http://a.org/") }
                scope.runCurrent()
                body.writeFully(page)
                body.flush()
                scope.runCurrent()
                body.availableForRead shouldBe 600
                scope.advanceTimeBy(250)
                body.availableForRead shouldBe 400
                body.flushAndClose()
            }
        }

        test("calls share the limit of the client") {
            virtually { scope ->
                val client = limited { bandwidth(bytes(1000, burst = 400)) }
                pages()
                (1..8).map { scope.async { client.get("http://$it.org/").bodyAsBytes() } }.awaitAll().forEach { it shouldBe page }
                scope.currentTime shouldBe 7600
            }
        }

        test("each host has a limit of its own, whatever the port") {
            virtually { scope ->
                val client = limited { bandwidth { download { perHost(bytes(500, burst = 500)) } } }
                pages()
                val ends = ends(scope, "http://a.org/", "http://A.org:81/", "http://b.org/") { client.get(it) }
                ends shouldContainExactly listOf(1750L, 3000L, 1000L)
            }
        }

        test("each call has a limit of its own") {
            virtually { scope ->
                val client = limited { bandwidth { download { perCall(bytes(500, burst = 500)) } } }
                pages()
                ends(scope, "http://a.org/", "http://a.org/", "http://b.org/") { client.get(it) } shouldContainExactly
                    listOf(1000L, 1000L, 1000L)
            }
        }

        test("of several limits the tightest rules at each moment") {
            virtually { scope ->
                val client =
                    limited {
                        bandwidth {
                            download {
                                total(bytes(1000, burst = 400))
                                perHost(bytes(500, burst = 400))
                                perCall(bytes(250, burst = 400))
                            }
                        }
                    }
                pages()
                // By its call: (1000 - 400) / 250 s.
                client.get("http://a.org/")
                scope.currentTime shouldBe 2400
                // By their host: (2000 - 400) / 500 s.
                delay(10_000)
                ends(scope, "http://a.org/", "http://a.org/") { client.get(it) }.max() shouldBe 12_400 + 3200
                // By all together: (6000 - 400) / 1000 s.
                delay(10_000)
                val six = (1..6).map { "http://$it.org/" }.toTypedArray()
                ends(scope, *six) { client.get(it) }.max() shouldBe 25_600 + 5600
            }
        }

        test("several limits of one scope rule together") {
            virtually { scope ->
                val client = limited { bandwidth(bytes(1000, burst = 400), bytes(100, burst = 800)) }
                pages()
                client.get("http://a.org/")
                scope.currentTime shouldBe 2000
            }
        }

        test("okio1822: a rate that is raised in mid-download rules the chunk that waits already") {
            virtually { scope ->
                val limiter = RateLimiter("rate", bytes(100, burst = 100), store = store)
                val client = limited { bandwidth(limiter) }
                pages()
                val download = scope.async { client.get("http://a.org/") }
                delay(1100)
                // 200 bytes are there, and the next 25 are due in 150 ms; 10 of them are refilled already.
                limiter.setLimits(bytes(1000, burst = 100))
                download.await()
                scope.currentTime shouldBe 1100 + 15 + 775
            }
        }

        test("a rate that is lowered in mid-download, and its burst with it, rules the chunk that waits already") {
            virtually { scope ->
                val limiter = RateLimiter("rate", bytes(100, burst = 100), store = store)
                val client = limited { bandwidth(limiter) }
                pages()
                val download = scope.async { client.get("http://a.org/") }
                delay(1100)
                limiter.setLimits(bytes(10, burst = 4))
                download.await()
                // 800 bytes are left; of the 10 that are refilled, the new burst holds 4.
                scope.currentTime shouldBe 1100 + 79_600
            }
        }

        test("a read that is cancelled gives back what it has, at once, and frees the connection") {
            virtually { scope ->
                val hosts: KeyedRateLimiter<String> = KeyedRateLimiter("hosts", bytes(10, burst = 1000), store = store)
                val total = RateLimiter("total", bytes(100, burst = 100), store = store)
                val client =
                    limited {
                        bandwidth {
                            download {
                                perHost(hosts)
                                total(total)
                            }
                        }
                    }
                val body = ByteChannel()
                answer = { respond(body) }
                val download = scope.launch { client.get("http://a.org/") }
                scope.runCurrent()
                body.writeFully(page)
                body.flush()
                delay(100)
                // 100 bytes are there; the next 25 have the permits of the host and wait for the others.
                hosts["a.org"].peek().remaining() shouldBe 1000 - 125 + 1
                download.cancel()
                scope.runCurrent()
                hosts["a.org"].peek().remaining() shouldBe 1000 - 100 + 1
                total.peek().remaining() shouldBe 10
                body.isClosedForWrite shouldBe true
                scope.currentTime shouldBe 100
            }
        }

        test("leaving a streamed body half-way frees the connection and leaves the line") {
            virtually { scope ->
                val limiter = RateLimiter("rate", bytes(1, burst = 100), store = store)
                val client = limited { bandwidth(limiter) }
                val body = ByteReadChannel(page)
                answer = { respond(body) }
                client.prepareGet("http://a.org/").execute { it.bodyAsChannel().readAvailable(ByteArray(50)) shouldBe 50 }
                scope.runCurrent()
                scope.currentTime shouldBe 0
                body.closedCause.shouldNotBeNull()
                delay(25_000)
                limiter.peek().remaining() shouldBe 25
            }
        }

        test("a request timeout ends a download that waits") {
            virtually { scope ->
                val limiter = RateLimiter("rate", bytes(10, burst = 100), store = store)
                val client =
                    client {
                        limit { bandwidth(limiter) }
                        install(HttpTimeout) { requestTimeoutMillis = 500 }
                    }
                pages()
                shouldThrow<HttpRequestTimeoutException> { client.get("http://a.org/") }
                scope.currentTime shouldBe 500
                shouldThrow<HttpRequestTimeoutException> { client.prepareGet("http://a.org/").execute { it.bodyAsBytes() } }
                scope.currentTime shouldBe 1000
                limiter.peek().remaining() shouldBe 10
            }
        }

        test("closing the client ends a download that waits") {
            virtually { scope ->
                val client = limited { bandwidth(bytes(1, burst = 100)) }
                pages()
                var failure: Throwable? = null
                val download = scope.launch { failure = runCatching { client.get("http://a.org/") }.exceptionOrNull() }
                delay(100)
                client.engine.coroutineContext.job.cancel()
                download.join()
                (failure is CancellationException) shouldBe true
                scope.currentTime shouldBe 100
            }
        }

        test("what the cache answers costs nothing") {
            virtually { scope ->
                val client =
                    client {
                        install(HttpCache)
                        limit { bandwidth(bytes(1000, burst = 400)) }
                    }
                answer = { respond(page, headers = headersOf(HttpHeaders.CacheControl, "max-age=3600")) }
                repeat(5) { client.get("http://a.org/").bodyAsBytes() shouldBe page }
                scope.currentTime shouldBe 600
                client.prepareGet("http://a.org/").execute { it.bodyAsBytes() shouldBe page }
                scope.currentTime shouldBe 600
            }
        }

        test("each hop of a redirect pays for its body at its own host") {
            virtually {
                val hosts: KeyedRateLimiter<String> = KeyedRateLimiter("hosts", bytes(1, burst = 2000), store = store)
                val client = limited { bandwidth { download { perHost(hosts) } } }
                answer = {
                    val here = it.url.host == "a.org"
                    respond(
                        if (here) randomBytes(30) else page,
                        if (here) HttpStatusCode.Found else HttpStatusCode.OK,
                        headersOf(HttpHeaders.Location, "http://b.org/"),
                    )
                }
                client.get("http://a.org/").bodyAsBytes() shouldBe page
                hosts["a.org"].peek().remaining() shouldBe 1970
                hosts["b.org"].peek().remaining() shouldBe 1000
            }
        }

        test("each try of a retry pays for its body") {
            virtually { scope ->
                val limiter = RateLimiter("rate", bytes(1, burst = 2000), store = store)
                val client =
                    client {
                        install(HttpRequestRetry) {
                            retryOnServerErrors(maxRetries = 2)
                            constantDelay(millis = 1, randomizationMs = 0)
                        }
                        limit { bandwidth(limiter) }
                    }
                answer = { respondError(HttpStatusCode.ServiceUnavailable, "0123456789") }
                client.get("http://a.org/")
                scope.currentTime shouldBe 2
                limiter.peek().remaining() shouldBe 1970
            }
        }

        test("a body without bytes costs nothing, and a client with other rules goes on to obey them") {
            virtually { scope ->
                val client =
                    limited {
                        otherHosts(bytes(1, burst = 1))
                        bandwidth(bytes(1, burst = 4))
                    }
                repeat(3) { client.get("http://a.org/").bodyAsBytes().size shouldBe 0 }
                scope.currentTime shouldBe 2000
            }
        }

        test("a connection that breaks is the reader's error, and the limiter goes on") {
            virtually { scope ->
                val limiter = RateLimiter("rate", bytes(1000, burst = 400), store = store)
                val client = limited { bandwidth(limiter) }
                val body = ByteChannel()
                answer = { respond(body) }
                val download = scope.async { runCatching { client.get("http://a.org/") } }
                scope.runCurrent()
                body.writeFully(page)
                body.flush()
                delay(50)
                body.cancel(java.io.IOException("connection reset"))
                val failure = download.await().exceptionOrNull()
                generateSequence(failure) { it.cause }.any { it.message?.contains("connection reset") == true } shouldBe true
                delay(1000)
                limiter.peek().remaining() shouldBe 400
            }
        }

        test("a store that cannot answer is the reader's error, and frees the connection") {
            virtually {
                val broken =
                    object : LocalRateLimitStore by MemoryStore() {
                        override fun tryAcquire(
                            charges: List<Charge>,
                            at: Long,
                            maxDelayNanos: Long,
                        ): RateLimitResult = throw RateLimitStoreException("the disk is gone", null)
                    }
                val client = limited { bandwidth(RateLimiter("rate", bytes(1, burst = 100), store = broken)) }
                val body = ByteReadChannel(page)
                answer = { respond(body) }
                shouldThrow<RateLimitStoreException> { client.get("http://a.org/") }.message shouldBe "the disk is gone"
                body.closedCause.shouldNotBeNull()
            }
        }
    })

/** Makes the calls together; when each has ended, in their order. */
private suspend fun ends(
    scope: TestScope,
    vararg urls: String,
    call: suspend (String) -> Unit,
): List<Long> =
    urls
        .map {
            scope.async {
                call(it)
                scope.currentTime
            }
        }.awaitAll()
