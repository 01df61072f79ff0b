package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.peek
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.ktor.client.HttpClient
import io.ktor.client.HttpClientConfig
import io.ktor.client.engine.mock.respond
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.plugins.cache.HttpCache
import io.ktor.client.plugins.compression.ContentEncoding
import io.ktor.client.plugins.compression.ContentEncodingConfig
import io.ktor.client.plugins.compression.compress
import io.ktor.client.request.get
import io.ktor.client.request.post
import io.ktor.client.request.prepareGet
import io.ktor.client.request.setBody
import io.ktor.client.statement.bodyAsBytes
import io.ktor.client.statement.bodyAsChannel
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.headersOf
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.readAvailable
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent

private val zeros = ByteArray(10_000)
private val zipped = gzipped(zeros)
private val noise = randomBytes(100)

/** Chunks so small that the bytes before they are decoded need several too. */
private val slow = bytes(1000, burst = 40)

class BandwidthEncodingTest :
    FunSpec({
        val encoding: HttpClientConfig<*>.() -> Unit = {
            install(ContentEncoding) {
                mode = ContentEncodingConfig.Mode.All
                gzip()
            }
        }

        /** Plugins in both orders: neither may matter. */
        fun inBothOrders(
            test: suspend VirtualClient.(kotlinx.coroutines.test.TestScope, (HttpRequestRateLimitConfig.() -> Unit) -> HttpClient) -> Unit,
        ) {
            virtually { scope ->
                test(scope) {
                    client {
                        encoding()
                        limit(it)
                    }
                }
            }
            virtually { scope ->
                test(scope) {
                    client {
                        limit(it)
                        encoding()
                    }
                }
            }
        }

        fun VirtualClient.zipped(body: ByteArray) {
            answer = { respond(body, headers = headersOf(HttpHeaders.ContentEncoding, "gzip")) }
        }

        fun HttpRequestRateLimitConfig.decoded(limiter: RateLimiter) =
            bandwidth {
                download { total(limiter) }
                upload { total(limiter) }
                count = ByteCount.DECODED
            }

        test("bytes on the wire count before they are decoded") {
            inBothOrders { scope, client ->
                zipped(zipped)
                zipped.size shouldBeLessThan 100
                client { bandwidth(slow) }.run {
                    get("http://a.org/").bodyAsBytes() shouldBe zeros
                    scope.currentTime shouldBe zipped.size - 40
                    delay(1000)
                    prepareGet("http://a.org/").execute { it.bodyAsBytes() shouldBe zeros }
                    scope.currentTime shouldBe 1000 + 2 * (zipped.size - 40)
                }
            }
        }

        test("decoded bytes count where that is chosen, of a body that is saved and of one that is streamed") {
            inBothOrders { scope, client ->
                zipped(zipped)
                client { decoded(RateLimiter("rate", slow, store = store)) }.run {
                    val response = get("http://a.org/")
                    scope.currentTime shouldBe zeros.size - 40
                    repeat(2) { response.bodyAsBytes() shouldBe zeros }
                    response.headers[HttpHeaders.ContentEncoding].shouldBeNull()
                    scope.currentTime shouldBe zeros.size - 40
                    delay(1000)
                    prepareGet("http://a.org/").execute { it.arrivals(scope).content shouldBe zeros }
                    scope.currentTime shouldBe 1000 + 2 * (zeros.size - 40)
                }
            }
        }

        test("a body that its encoding has made longer is charged by what it is when it is decoded") {
            inBothOrders { scope, client ->
                val rate = RateLimiter("rate", bytes(1, burst = 1000), store = store)
                zipped(gzipped(noise))
                client { decoded(rate) }.run {
                    get("http://a.org/").bodyAsBytes() shouldBe noise
                    rate.peek().remaining() shouldBe 900
                    prepareGet("http://a.org/").execute { it.bodyAsBytes() shouldBe noise }
                    rate.peek().remaining() shouldBe 800
                    scope.currentTime shouldBe 0
                }
            }
        }

        test("a body that nothing decodes is charged once") {
            virtually {
                val rate = RateLimiter("rate", bytes(1, burst = 1000), store = store)
                val client = limited { decoded(rate) }
                zipped(zipped)
                client.get("http://a.org/").bodyAsBytes() shouldBe zipped
                rate.peek().remaining() shouldBe 1000 - zipped.size
                answer = { respond(noise) }
                client.get("http://a.org/").bodyAsBytes() shouldBe noise
                rate.peek().remaining() shouldBe 1000 - zipped.size - 100
            }
        }

        test("what the cache answers costs nothing, also when it has asked whether it is still true") {
            inBothOrders { scope, client ->
                val rate = RateLimiter("rate", bytes(1, burst = 100_000), store = store)
                val headers = headersOf(HttpHeaders.ContentEncoding to listOf("gzip"), HttpHeaders.ETag to listOf("\"1\""))
                answer = {
                    if (HttpHeaders.IfNoneMatch in
                        it.headers
                    ) {
                        respond("", HttpStatusCode.NotModified, headers)
                    } else {
                        respond(zipped, headers = headers)
                    }
                }
                val cached = client { decoded(rate) }.config { install(HttpCache) }
                repeat(3) { cached.get("http://a.org/").bodyAsBytes() shouldBe zeros }
                seen.size shouldBe 3
                rate.peek().remaining() shouldBe 90_000
                scope.currentTime shouldBe 0
            }
        }

        test("leaving a streamed body half-way frees the connection, also behind a decoder that waits") {
            inBothOrders { scope, client ->
                val body = ByteReadChannel(gzipped(randomBytes(10_000)))
                answer = { respond(body, headers = headersOf(HttpHeaders.ContentEncoding, "gzip")) }
                client { decoded(RateLimiter("rate", bytes(1, burst = 4000), store = store)) }
                    .prepareGet("http://a.org/")
                    .execute { it.bodyAsChannel().readAvailable(ByteArray(50)) }
                scope.runCurrent()
                body.closedCause.shouldNotBeNull()
                scope.currentTime shouldBe 0
            }
        }

        test("an upload is charged by the bytes on the wire") {
            inBothOrders { scope, client ->
                val rate = RateLimiter("rate", bytes(1, burst = 100_000), store = store)
                var sent = 0
                answer = {
                    it.headers[HttpHeaders.ContentLength].shouldBeNull()
                    sent = it.body.departures(scope).content.size
                    respondOk()
                }
                client { bandwidth { upload { total(rate) } } }.post("http://a.org/") {
                    compress("gzip")
                    setBody(zeros)
                }
                sent shouldBeLessThan 100
                rate.peek().remaining() shouldBe 100_000 - sent
            }
        }

        test("an upload is charged by the bytes before they are encoded where that is chosen, at each try") {
            inBothOrders { scope, client ->
                val rate = RateLimiter("rate", bytes(1000, burst = 1000), store = store)
                answer = {
                    it.body.departures(scope).content.size shouldBeLessThan 100
                    respondOk()
                }
                client { decoded(rate) }.run {
                    repeat(2) {
                        post("http://a.org/") {
                            compress("gzip")
                            setBody(zeros)
                        }
                    }
                    scope.currentTime shouldBe 19_000
                }
                answer = {
                    it.body.departures(scope).content shouldBe noise
                    respondOk()
                }
                client { decoded(rate) }.post("http://a.org/") { setBody(noise) }
                scope.currentTime shouldBe 19_100
            }
        }
    })
