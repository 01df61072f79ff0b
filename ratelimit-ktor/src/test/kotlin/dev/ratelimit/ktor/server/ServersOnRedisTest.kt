package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.client.withRedis
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.seconds

class ServersOnRedisTest :
    FunSpec({
        val dir = tempdir()

        test("two servers behind one Redis keep one limit, under load") {
            withRedis(dir) { url ->
                RedisStore.connect(url).use { one ->
                    RedisStore.connect(url).use { two ->
                        fun limits(redis: RedisStore): RateLimitingConfig.() -> Unit =
                            {
                                store = redis
                                rule("/*") {
                                    perIp(100.perHour)
                                    global(500.perHour)
                                }
                            }
                        limited(limits(one)) {
                            val first = this
                            limited(limits(two)) {
                                val second = this
                                val statuses = atOnce(300) { (if (it % 2 == 0) first else second).get().status }
                                statuses.count { it == 200 } shouldBe 100
                                statuses.count { it == 429 } shouldBe 200
                                // What the limit by address refused took nothing from the other.
                                first.application.rateLimiting.peek("/*", "global", null)[0].remaining() shouldBe 400
                                second.application.rateLimiting.reset("/*", "ip", "127.0.0.1")
                                first.get().status shouldBe 200
                            }
                        }
                    }
                }
            }
        }

        test("a Redis that dies under load refuses nobody by mistake, and fails no call") {
            withRedis(dir) { url ->
                RedisStore.connect(url).use { redis ->
                    limited({
                        store = redis
                        rule("/*") { perIp(1_000.perHour) }
                    }) {
                        get().status shouldBe 200
                        application.rateLimiting.health().isUp shouldBe true
                        killRedis(url)
                        val statuses = atOnce(100) { get().status }
                        statuses.distinct() shouldContainExactly listOf(200)
                        eventually(10.seconds) { application.rateLimiting.health().isUp shouldBe false }
                    }
                }
            }
        }
    })

/** As if it had crashed: it saves nothing, and says nothing. */
private fun killRedis(url: String) {
    val port = url.substringAfterLast(':').toInt()
    java.net.Socket("127.0.0.1", port).use { it.getOutputStream().write("SHUTDOWN NOSAVE FORCE\r\n".toByteArray()) }
}
