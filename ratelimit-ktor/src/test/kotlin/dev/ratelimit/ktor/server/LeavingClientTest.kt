package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.perHour
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.ktor.server.application.install
import io.ktor.server.http.HttpRequestLifecycle
import java.net.InetAddress
import java.net.Socket
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

class LeavingClientTest :
    FunSpec({
        for (engine in engines) {
            test("${engine.javaClass.simpleName}: a client that leaves before its turn gives back what it was charged") {
                limited(
                    {
                        maxWait = 10.hours
                        rule("/*") {
                            perIp(100.perHour)
                            global(RateLimit.leakyBucket(1, 1.hours, 9))
                        }
                    },
                    {
                        install(HttpRequestLifecycle) { cancelCallOnClose = true }
                        anything()
                    },
                    engine,
                ) {
                    suspend fun left() =
                        listOf("ip" to "127.0.0.1", "global" to null).map { (scope, key) ->
                            application.rateLimiting.peek("/*", scope, key)[0].remaining()
                        }
                    get().status shouldBe 200
                    val before = left()
                    Socket(InetAddress.getLoopbackAddress(), port).use { waiting ->
                        waiting.getOutputStream().write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".toByteArray())
                        eventually(20.seconds) { left() shouldBe before.map { it - 1 } }
                    }
                    eventually(20.seconds) { left() shouldBe before }
                }
            }
        }
    })
