package dev.ratelimit.ktor.server

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perHour
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.server.application.install
import io.ktor.server.engine.connector
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.CompletableFuture

/** HTTP/2, which Netty offers: many calls at once over one connection, whose headers have no upper case. */
class Http2Test :
    FunSpec({
        test("calls at once over one connection share one budget, in every spelling, and are told so") {
            http2({ rule("GET:/api/*") { perIp(20.perHour) } }) { get ->
                // The one that makes the connection.
                get("/api/a").join().version() shouldBe HttpClient.Version.HTTP_2
                val spellings = listOf("/api/a", "//api/a", "/api//a/", "/%61pi/a?b=c")
                val answers = List(80) { get(spellings[it % spellings.size]) }.map { it.join() }
                answers.groupingBy { it.statusCode() }.eachCount() shouldBe mapOf(200 to 19, 429 to 61)
                answers.map { it.version() }.distinct() shouldContainExactly listOf(HttpClient.Version.HTTP_2)
                answers.first { it.statusCode() == 200 }.run {
                    headers().firstValue("x-ratelimit-limit").get() shouldBe "20"
                    headers().allValues("ratelimit-policy") shouldContainExactly listOf("\"ip\";q=20;w=3600")
                }
                answers.first { it.statusCode() == 429 }.run {
                    headers().firstValue("retry-after").get() shouldBe "180"
                    headers().firstValue("content-type").get() shouldBe "application/problem+json"
                    body() shouldContain "quota-exceeded"
                }
                get("/elsewhere").join().statusCode() shouldBe 200
            }
        }

        test("a proxy of HTTP/2 is believed like any other") {
            http2({
                trustedProxies("127.0.0.0/8")
                rule("/*") { perIp(1.perHour) }
            }) { get ->
                fun status(forwarded: String) = get("/", "x-forwarded-for" to forwarded).join().statusCode()
                List(3) { status("203.0.113.${it / 2}") } shouldContainExactly listOf(200, 429, 200)
                status("198.51.100.1, 203.0.113.0") shouldBe 429
            }
        }
    })

private fun interface Get {
    fun send(
        path: String,
        header: Pair<String, String>?,
    ): CompletableFuture<HttpResponse<String>>

    operator fun invoke(
        path: String,
        header: Pair<String, String>? = null,
    ) = send(path, header)
}

private suspend fun http2(
    configure: RateLimitingConfig.() -> Unit,
    test: suspend (get: Get) -> Unit,
) {
    val server =
        embeddedServer(
            Netty,
            configure = {
                enableH2c = true
                connector {
                    host = "127.0.0.1"
                    port = 0
                }
            },
        ) {
            install(RateLimiting) {
                store = MemoryStore(NanoClock { 0 })
                configure()
            }
            anything()
        }.start()
    try {
        val port = server.engine.resolvedConnectors().first().port
        val client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()
        val get = Get { path, header ->
            val request = HttpRequest.newBuilder(URI("http://127.0.0.1:$port$path"))
            header?.let { request.header(it.first, it.second) }
            client.sendAsync(request.build(), BodyHandlers.ofString())
        }
        test(get)
    } finally {
        server.stop(0, 0)
    }
}
