package dev.ratelimit.jvm.redis.rig

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisCommandTimeoutException
import io.lettuce.core.RedisConnectionException
import io.lettuce.core.RedisException
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.measureTime

/** Each way in which the proxy breaks the network, and that it mends it again. */
internal class ProxyRigTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }

        test("it passes requests and replies, also large ones") {
            FaultProxy(server.port).use { proxy ->
                connected(proxy.uri) { connection ->
                    val large = "x".repeat(5_000_000)
                    connection.sync().set("large", large)
                    connection.sync().get("large") shouldBe large
                    proxy.connections shouldBe 1
                }
                awaitThat("the client's end is passed on") { proxy.connections == 0 }
            }
        }

        test("it delays both ways, and many replies at a time no longer than one") {
            FaultProxy(server.port).use { proxy ->
                connected(proxy.uri) { connection ->
                    proxy.mode = FaultMode.Delay(150.milliseconds)
                    measureTime { connection.sync().ping() } shouldBeGreaterThanOrEqualTo 300.milliseconds
                    val many = measureTime { List(100) { connection.async().ping() }.forEach { it.get() } }
                    many shouldBeGreaterThanOrEqualTo 300.milliseconds
                    many shouldBeLessThan 3_000.milliseconds
                    proxy.mode = FaultMode.Pass
                    connection.sync().ping() shouldBe "PONG"
                }
            }
        }

        test("it cuts: the server counted, the client never heard of it") {
            FaultProxy(server.port).use { proxy ->
                connected(proxy.uri) { connection ->
                    proxy.mode = FaultMode.Cut
                    shouldThrow<RedisException> { connection.sync().incr("counter") }
                    server.ask { get("counter") } shouldBe "1"
                    awaitThat("the connection is closed") { !connection.isOpen }
                    proxy.cuts shouldBe 1
                }
                shouldThrow<RedisConnectionException> { connected(proxy.uri) { it.sync().ping() } }
                proxy.mode = FaultMode.Pass
                connected(proxy.uri) { it.sync().ping() } shouldBe "PONG"
            }
        }

        test("it cuts once") {
            FaultProxy(server.port).use { proxy ->
                connected(proxy.uri) { connection ->
                    proxy.mode = FaultMode.CutOnce
                    shouldThrow<RedisException> { connection.sync().ping() }
                }
                proxy.mode shouldBe FaultMode.Pass
                connected(proxy.uri) { it.sync().ping() } shouldBe "PONG"
            }
        }

        test("it drops what is sent while connections stay open, and closes those that lost something when it is over") {
            FaultProxy(server.port).use { proxy ->
                connected(proxy.uri) { untouched ->
                    connected(proxy.uri, 200.milliseconds) { connection ->
                        proxy.mode = FaultMode.Drop
                        shouldThrow<RedisCommandTimeoutException> { connection.sync().set("dropped", "1") }
                        connection.isOpen shouldBe true
                        shouldThrow<RedisConnectionException> { connected(proxy.uri, 200.milliseconds) { it.sync().ping() } }
                        proxy.mode = FaultMode.Pass
                        awaitThat("the connection that lost bytes is closed") { !connection.isOpen }
                    }
                    server.ask { exists("dropped") } shouldBe 0
                    untouched.sync().ping() shouldBe "PONG"
                }
            }
        }

        test("it refuses new connections while the old ones go on") {
            FaultProxy(server.port).use { proxy ->
                connected(proxy.uri) { connection ->
                    proxy.mode = FaultMode.Refuse
                    shouldThrow<RedisConnectionException> { connected(proxy.uri) { it.sync().ping() } }
                    connection.sync().ping() shouldBe "PONG"
                    proxy.mode = FaultMode.Pass
                    connected(proxy.uri) { it.sync().ping() } shouldBe "PONG"
                    proxy.accepted shouldBe 2
                }
            }
        }

        test("it closes all connections, and a client that reconnects goes on") {
            FaultProxy(server.port).use { proxy ->
                connected(proxy.uri, reconnect = true) { connection ->
                    connection.sync().ping()
                    proxy.closeAll()
                    awaitThat("the client is back") { proxy.accepted == 2 && connection.sync().ping() == "PONG" }
                }
            }
        }

        test("closed, or in front of a dead server, it lets nobody in") {
            val dead = RedisServer().also(RedisServer::close)
            FaultProxy(dead.port).use { proxy -> shouldThrow<RedisConnectionException> { connected(proxy.uri) { it.sync().ping() } } }
            val closed = FaultProxy(server.port).also(FaultProxy::close)
            shouldThrow<RedisConnectionException> { connected(closed.uri) { it.sync().ping() } }
        }
    })
