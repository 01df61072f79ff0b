package dev.ratelimit.ktor.client

import dev.ratelimit.jvm.perSecond
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.ktor.client.engine.mock.respond
import io.ktor.client.engine.mock.respondError
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.engine.mock.respondRedirect
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.plugins.HttpRequestTimeoutException
import io.ktor.client.plugins.HttpTimeout
import io.ktor.client.plugins.api.Send
import io.ktor.client.plugins.api.createClientPlugin
import io.ktor.client.plugins.cache.HttpCache
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.headersOf
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.currentTime

/** A plugin that lets no request through. */
internal val Refusing = createClientPlugin("Refusing") { on(Send) { error("refused") } }

class NestingTest :
    FunSpec({
        test("each hop of a redirect pays at its own host") {
            virtually {
                val client =
                    limited {
                        hosts("a.org", limit = 1.perSecond)
                        hosts("b.org", limit = 1.perSecond)
                    }
                answer = { if (it.url.host == "a.org") respondRedirect("http://b.org/") else respondOk() }
                client.get("http://a.org/")
                client.get("http://b.org/")
                client.get("http://a.org/")
                seen shouldContainExactly
                    listOf(Seen(0, "a.org"), Seen(0, "b.org"), Seen(1000, "b.org"), Seen(1000, "a.org"), Seen(2000, "b.org"))
            }
        }

        test("each try of a retry outside of the limit pays") {
            virtually {
                val client =
                    client {
                        install(HttpRequestRetry) {
                            retryOnServerErrors(maxRetries = 2)
                            constantDelay(millis = 1, randomizationMs = 0)
                        }
                        limit { otherHosts(1.perSecond) }
                    }
                answer = { respondError(HttpStatusCode.ServiceUnavailable) }
                client.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 1000L, 2000L)
            }
        }

        test("the tries of a retry inside of the limit pay together") {
            virtually {
                val client =
                    client {
                        limit { otherHosts(1.perSecond) }
                        install(HttpRequestRetry) {
                            retryOnServerErrors(maxRetries = 2)
                            constantDelay(millis = 1, randomizationMs = 0)
                        }
                    }
                answer = { respondError(HttpStatusCode.ServiceUnavailable) }
                client.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 1L, 2L)
            }
        }

        test("a timeout inside of the limit does not time the wait") {
            virtually {
                val client =
                    client {
                        limit { otherHosts(1.perSecond) }
                        install(HttpTimeout) { requestTimeoutMillis = 100 }
                    }
                repeat(3) { client.get("http://a.org/").status shouldBe HttpStatusCode.OK }
                seen.map { it.at } shouldContainExactly listOf(0L, 1000L, 2000L)

                answer = {
                    delay(150)
                    respondOk()
                }
                shouldThrow<HttpRequestTimeoutException> { client.get("http://a.org/") }
            }
        }

        test("a timeout outside of the limit ends the wait, at no cost") {
            virtually { scope ->
                val client =
                    client {
                        install(HttpTimeout) { requestTimeoutMillis = 100 }
                        limit { otherHosts(1.perSecond) }
                    }
                client.get("http://a.org/")
                repeat(3) { shouldThrow<HttpRequestTimeoutException> { client.get("http://a.org/") } }
                scope.currentTime shouldBe 300
                delay(700)
                client.get("http://a.org/")
                seen.map { it.at } shouldContainExactly listOf(0L, 1000L)
            }
        }

        test("cachedAnswersAreNotCharged") {
            virtually {
                val client =
                    client {
                        install(HttpCache)
                        limit { otherHosts(2.perSecond) }
                    }
                answer = { respond("page", headers = headersOf(HttpHeaders.CacheControl, "max-age=3600")) }
                repeat(10) { client.get("http://a.org/").bodyAsText() shouldBe "page" }
                client.get("http://a.org/other")
                seen.map { it.at } shouldContainExactly listOf(0L, 0L)
            }
        }
    })
