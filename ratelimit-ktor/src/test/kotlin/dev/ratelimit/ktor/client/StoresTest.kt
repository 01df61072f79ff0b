package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.spi.RateLimitStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.ktor.client.HttpClient
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.respond
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.request.get
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.headersOf
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import java.io.File
import kotlin.time.Duration

/** Clients of one store, as if in several processes: in a shared file and in Redis as in memory. */
class StoresTest :
    FunSpec({
        suspend fun each(test: suspend (open: () -> RateLimitStore) -> Unit) {
            val file = File(tempdir(), "limits").toPath()
            test { SharedMemoryStore.open(file) }
            withRedis(tempdir()) { url -> test { RedisStore.connect(url) } }
        }

        fun client(
            store: RateLimitStore,
            answer: HttpStatusCode = HttpStatusCode.OK,
            configure: HttpRequestRateLimitConfig.() -> Unit,
        ) = HttpClient(
            MockEngine { if (answer == HttpStatusCode.OK) respondOk() else respond("", answer, headersOf(HttpHeaders.RetryAfter, "600")) },
        ) {
            install(HttpRequestRateLimit) {
                this.store = store
                maxWait = Duration.ZERO
                configure()
            }
        }

        suspend fun HttpClient.passes(url: String) = runCatching { get(url) }.isSuccess

        test("clients of one store are under one limit, several rules of theirs too") {
            each { open ->
                open().use { one ->
                    open().use { other ->
                        val clients =
                            listOf(one, other).map {
                                client(it) {
                                    otherHosts(3.perHour)
                                    limit("all", 4.perHour) { "all" }
                                }
                            }
                        val passed =
                            List(6) { clients[it % 2].passes("http://a.org/") } + List(3) { clients[it % 2].passes("http://b.org/") }
                        passed shouldContainExactly listOf(true, true, true, false, false, false, true, false, false)
                        clients.forEach { it.close() }
                    }
                }
            }
        }

        test("what one client is told makes all pause, for as long as was said") {
            each { open ->
                open().use { one ->
                    open().use { other ->
                        val told = client(one, HttpStatusCode.TooManyRequests) { otherHosts(100.perSecond) }
                        val others = client(other) { otherHosts(100.perSecond) }
                        others.passes("http://a.org/") shouldBe true
                        told.get("http://a.org/").status shouldBe HttpStatusCode.TooManyRequests
                        val refusal = shouldThrow<RateLimitExceededException> { others.get("http://a.org/") }
                        // Ten minutes, and up to 30 seconds of jitter.
                        (refusal.result.retryAfterNanos() / 1_000_000_000).toInt() shouldBeInRange 598..631
                        others.passes("http://b.org/") shouldBe true
                        listOf(told, others).forEach { it.close() }
                    }
                }
            }
        }

        test("a hundred refusals at once are one pause, not a hundred") {
            each { open ->
                open().use { store ->
                    val client = client(store, HttpStatusCode.TooManyRequests) { otherHosts(100.perSecond) }
                    coroutineScope { List(100) { async { client.passes("http://a.org/") } }.awaitAll() }
                    val refusal = shouldThrow<RateLimitExceededException> { client.get("http://a.org/") }
                    (refusal.result.retryAfterNanos() / 1_000_000_000).toInt() shouldBeInRange 598..631
                    client.close()
                }
            }
        }
    })
