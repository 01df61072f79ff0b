package dev.ratelimit.ktor.client

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.peek
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.maps.shouldContainExactly
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.ktor.client.engine.mock.respondError
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.engine.mock.respondRedirect
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.request.HttpRequestData
import io.ktor.client.request.get
import io.ktor.client.request.post
import io.ktor.client.request.setBody
import io.ktor.http.ContentType
import io.ktor.http.Headers
import io.ktor.http.HttpStatusCode
import io.ktor.http.content.ByteArrayContent
import io.ktor.http.content.OutgoingContent
import io.ktor.http.headersOf
import io.ktor.utils.io.ByteChannel
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.writeFully
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent

private val page = randomBytes(1000)

private val inTime = mapOf(0L to 400, 100L to 500, 200L to 600, 300L to 700, 400L to 800, 500L to 900, 600L to 1000)

private val anyHeaders = headersOf("X-Any", "any")

internal class Read(
    private val channel: () -> ByteReadChannel,
    override val contentLength: Long? = null,
) : OutgoingContent.ReadChannelContent() {
    override val contentType = ContentType.Text.CSV
    override val headers: Headers = anyHeaders

    override fun readFrom(): ByteReadChannel = channel()
}

internal class Written(
    override val contentLength: Long? = null,
    private val write: suspend (ByteWriteChannel) -> Unit,
) : OutgoingContent.WriteChannelContent() {
    override val contentType = ContentType.Text.CSV
    override val headers: Headers = anyHeaders

    override suspend fun writeTo(channel: ByteWriteChannel) = write(channel)
}

internal class Wrapped(
    delegate: OutgoingContent,
) : OutgoingContent.ContentWrapper(delegate) {
    override val headers: Headers = headersOf("X-Wrapper", "wrapper")

    override fun copy(delegate: OutgoingContent) = Wrapped(delegate)
}

class BandwidthUploadTest :
    FunSpec({
        fun VirtualClient.uploading() = limited { bandwidth { upload { total(bytes(1000, burst = 400)) } } }

        /** Sends a body and returns what the engine got of it, and when. */
        suspend fun VirtualClient.sent(
            scope: kotlinx.coroutines.test.TestScope,
            body: Any,
        ): Pair<HttpRequestData, Arrivals> {
            val client = uploading()
            var seen: Pair<HttpRequestData, Arrivals>? = null
            answer = {
                seen = it to it.body.departures(scope)
                respondOk()
            }
            client.post("http://a.org/") { setBody(body) }
            return seen.shouldNotBeNull()
        }

        val kinds =
            mapOf(
                "an array" to { page },
                "array content" to { ByteArrayContent(page, ContentType.Text.CSV) },
                "a channel" to { ByteReadChannel(page) },
                "content that is read" to { Read({ ByteReadChannel(page) }, contentLength = 1000) },
                "content that is written at once" to { Written(1000) { it.writeFully(page) } },
                "content that is written in pieces" to { Written { for (byte in page) it.writeFully(byteArrayOf(byte)) } },
                "content that closes its channel" to
                    {
                        Written {
                            it.writeFully(page)
                            it.flushAndClose()
                        }
                    },
                "wrapped content" to { Wrapped(Wrapped(Read({ ByteReadChannel(page) }))) },
            )
        for ((kind, make) in kinds) {
            test("$kind leaves at the limit's pace, and whole") {
                virtually { scope ->
                    val (_, departures) = sent(scope, make())
                    departures.soFar shouldContainExactly inTime
                    departures.content shouldBe page
                }
            }
        }

        test("length, type and headers of a body stay as they are") {
            virtually { scope ->
                val read = sent(scope, Read({ ByteReadChannel(page) }, contentLength = 1000)).first.body
                read.contentLength shouldBe 1000
                read.contentType shouldBe ContentType.Text.CSV
                read.headers shouldBe anyHeaders
                val written = sent(scope, Written { it.writeFully(page) }).first.body
                written.contentLength shouldBe null
                written.contentType shouldBe ContentType.Text.CSV
                written.headers shouldBe anyHeaders
                val array = sent(scope, page).first.body
                array.contentLength shouldBe 1000
                array.contentType shouldBe ContentType.Application.OctetStream
                val wrapped = sent(scope, Wrapped(Read({ ByteReadChannel(page) }, contentLength = 1000))).first.body
                wrapped.shouldBeInstanceOf<Wrapped>()
                wrapped.contentLength shouldBe 1000
                wrapped.headers["X-Wrapper"] shouldBe "wrapper"
            }
        }

        test("what has no bytes is sent as it is") {
            virtually { scope ->
                val nothing = object : OutgoingContent.NoContent() {}
                sent(scope, nothing).first.body shouldBeSameInstanceAs nothing
                val wrapped = Wrapped(nothing)
                sent(scope, wrapped).first.body shouldBeSameInstanceAs wrapped
                scope.currentTime shouldBe 0
            }
        }

        test("downloads and uploads have limits of their own") {
            virtually { scope ->
                val client =
                    limited {
                        bandwidth {
                            download { total(bytes(1000, burst = 400)) }
                            upload { total(bytes(100, burst = 1000)) }
                        }
                    }
                answer = {
                    it.body.departures(scope)
                    respondOk("x".repeat(1000))
                }
                client.get("http://a.org/")
                scope.currentTime shouldBe 600
                client.post("http://a.org/") { setBody(page) }
                scope.currentTime shouldBe 1600
                client.post("http://a.org/") { setBody(page) }
                scope.currentTime shouldBe 11_200
            }
        }

        test("each try of a retry and each hop of a redirect pays for the body it sends, at its own host") {
            virtually { scope ->
                val hosts: KeyedRateLimiter<String> = KeyedRateLimiter("hosts", bytes(1, burst = 10_000), store = store)
                val client =
                    client {
                        install(HttpRequestRetry) {
                            retryOnServerErrors(maxRetries = 2)
                            constantDelay(millis = 1, randomizationMs = 0)
                        }
                        limit { bandwidth { upload { perHost(hosts) } } }
                    }
                var tries = 0
                answer = {
                    it.body.departures(scope).content shouldBe page
                    if (++tries < 3) respondError(HttpStatusCode.ServiceUnavailable) else respondOk()
                }
                client.post("http://a.org/") { setBody(page) }
                hosts["a.org"].peek().remaining() shouldBe 7000
            }
            virtually { scope ->
                val hosts: KeyedRateLimiter<String> = KeyedRateLimiter("hosts", bytes(1, burst = 10_000), store = store)
                val client = limited { bandwidth { upload { perHost(hosts) } } }
                answer = {
                    it.body.departures(scope)
                    if (it.url.host == "a.org") respondRedirect("http://b.org/") else respondOk()
                }
                client.config { install(io.ktor.client.plugins.HttpRedirect) { checkHttpMethod = false } }
                    .post("http://a.org/") { setBody(page) }
                hosts["a.org"].peek().remaining() shouldBe 9000
                hosts["b.org"].peek().remaining() shouldBe 9000
            }
        }

        test("a rate that is raised in mid-upload rules the chunk that waits already") {
            virtually { scope ->
                val limiter = RateLimiter("rate", bytes(100, burst = 100), store = store)
                val client = limited { bandwidth { upload { total(limiter) } } }
                answer = {
                    it.body.departures(scope)
                    respondOk()
                }
                val upload = scope.async { client.post("http://a.org/") { setBody(page) } }
                delay(1100)
                limiter.setLimits(bytes(1000, burst = 100))
                upload.await()
                scope.currentTime shouldBe 1100 + 15 + 775
            }
        }

        test("an upload that is cancelled leaves the line, and closes what it reads") {
            virtually { scope ->
                val limiter = RateLimiter("rate", bytes(1, burst = 100), store = store)
                val client = limited { bandwidth { upload { total(limiter) } } }
                val file = ByteChannel()
                answer = {
                    it.body.departures(scope)
                    respondOk()
                }
                val upload = scope.launch { client.post("http://a.org/") { setBody(Read({ file })) } }
                scope.runCurrent()
                file.writeFully(page)
                file.flush()
                delay(1000)
                upload.cancel()
                scope.runCurrent()
                file.isClosedForWrite shouldBe true
                delay(49_000)
                limiter.peek().remaining() shouldBe 50
            }
        }
    })
