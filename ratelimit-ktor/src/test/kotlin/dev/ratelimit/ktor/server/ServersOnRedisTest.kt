package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.client.withCluster
import dev.ratelimit.ktor.client.withRedis
import dev.ratelimit.spi.BucketKey
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationStopped
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.lettuce.core.RedisClient
import kotlinx.coroutines.runBlocking
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.hours
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

        test("the emergency switch of one server is that of the others behind the same Redis, and of those that start later") {
            withRedis(dir) { url ->
                fun limits(redis: RedisStore): RateLimitingConfig.() -> Unit =
                    {
                        store = redis
                        rule("/*") { global(1.perHour) }
                    }
                RedisStore.connect(url).use { one ->
                    RedisStore.connect(url).use { two ->
                        limited(limits(one)) {
                            val first = this
                            first.get().status shouldBe 200
                            limited(limits(two)) {
                                get().status shouldBe 429
                                application.rateLimiting.isEnabled = false
                                get().status shouldBe 200
                                eventually(10.seconds) { first.get().status shouldBe 200 }
                            }
                            limited(limits(two)) {
                                eventually(10.seconds) { get().status shouldBe 200 }
                                first.application.rateLimiting.isEnabled = true
                                eventually(10.seconds) { get().status shouldBe 429 }
                            }
                        }
                    }
                }
            }
        }

        test("a server that is told of its Redis by the environment closes its connections in the end") {
            withRedis(dir) { url ->
                limited({
                    store = null
                    fromEnvironment(mapOf("REDIS_URL" to url))
                    rule("/*") { perIp(1.perHour) }
                }) {
                    List(2) { get().status } shouldContainExactly listOf(200, 429)
                    clients(url) shouldBeGreaterThan 0
                    // An engine that has loaded an application anew ends the former one, and tells both.
                    application.monitor.raise(ApplicationStopped, another())
                    get().status shouldBe 429
                    clients(url) shouldBeGreaterThan 0
                }
                eventually(10.seconds) { clients(url) shouldBe 0 }
                // Nor do settings that cannot be meant leave one open.
                shouldThrow<Exception> {
                    limited({
                        store = null
                        fromEnvironment(mapOf("REDIS_URL" to url))
                        rule("/*") { }
                    }) { }
                }
                eventually(10.seconds) { clients(url) shouldBe 0 }
            }
        }

        test("a server that is told of a Redis that is away starts, and takes turns with it once it is there") {
            val port = freePort()
            limited({
                store = null
                fromEnvironment(mapOf("REDIS_URL" to "redis://127.0.0.1:$port"))
                rule("/*") { global(1_000.perHour) }
            }) {
                get().status shouldBe 200
                application.rateLimiting.health().isUp shouldBe false
                withRedis(dir, port) {
                    eventually(20.seconds) { application.rateLimiting.health().isUp shouldBe true }
                    eventually(20.seconds) {
                        get().status shouldBe 200
                        application.rateLimiting.metrics(1.hours).isShared shouldBe true
                    }
                }
            }
        }

        test("endpoints are counted for all servers together") {
            withRedis(dir) { url ->
                RedisStore.connect(url).use { one ->
                    RedisStore.connect(url).use { two ->
                        fun limits(redis: RedisStore): RateLimitingConfig.() -> Unit =
                            {
                                store = redis
                                rule("/*") { global(4.perHour) }
                            }
                        limited(limits(one)) {
                            val first = this
                            limited(limits(two)) {
                                val statuses = List(3) { get().status } + List(3) { first.get().status }
                                statuses.count { it == 429 } shouldBe 2
                                for (server in listOf(first, this)) {
                                    eventually(20.seconds) {
                                        val metrics = server.application.rateLimiting.metrics(1.hours, byEndpoint = true)
                                        metrics.isShared shouldBe true
                                        metrics.totals.requests shouldBe 6
                                        metrics.rules.getValue("/*").run { allowed to denied } shouldBe (4L to 2L)
                                        metrics.endpoints.getValue("GET /{...}").run { allowed to denied } shouldBe (4L to 2L)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }

        test("on a Cluster the limits of a call are on several servers, and what one refuses takes nothing from the others") {
            withCluster(dir) { url ->
                RedisStore.connect(url).use { redis ->
                    limited({
                        store = redis
                        rule("/*") {
                            perIp(100.perHour)
                            global(500.perHour)
                            per("tenant", 20.perHour) { it.request.headers["tenant"] }
                        }
                    }) {
                        fun left(
                            scope: String,
                            key: String?,
                        ) = runBlocking { application.rateLimiting.peek("/*", scope, key)[0].remaining() }

                        val keys = listOf("ip" to "127.0.0.1", "global" to null, "tenant" to "a").map { (name, key) -> bucket(name, key) }
                        redis.reachesTogether(keys) shouldBe false
                        val statuses = atOnce(200) { get("/", "tenant" to "abcd"[it % 4].toString()).status }
                        // Each tenant has its twenty; what refuses is asked last.
                        statuses.groupingBy { it }.eachCount() shouldBe mapOf(200 to 80, 429 to 120)
                        // What was granted before another refused is given back, a moment later.
                        eventually(10.seconds) {
                            left("ip", "127.0.0.1") shouldBe 20
                            left("global", null) shouldBe 420
                            "abcd".sumOf { left("tenant", it.toString()) } shouldBe 0
                        }
                    }
                }
            }
        }

        test("a Redis that dies under load refuses nobody by mistake and fails no call; when it is back, it rules again") {
            for (engine in engines) {
                val port = freePort()
                val statuses = ConcurrentLinkedQueue<Int>()
                val goesOn = AtomicBoolean(true)
                withRedis(dir, port) { url ->
                    RedisStore.connect(url).use { redis ->
                        limited(
                            {
                                store = redis
                                rule("/*") { perIp(1_000_000.perHour) }
                                rule("/last") { global(1.perHour) }
                            },
                            engine = engine,
                        ) {
                            val callers = List(4) { thread { while (goesOn.get()) statuses += get().status } }
                            try {
                                eventually(20.seconds) { statuses.size shouldBeGreaterThan 200 }
                                killRedis(url)
                                eventually(20.seconds) { application.rateLimiting.health().isUp shouldBe false }
                                eventually(20.seconds) { application.rateLimiting.isStoreUp shouldBe false }
                                val until = statuses.size
                                eventually(20.seconds) { statuses.size shouldBeGreaterThan until + 200 }
                                withRedis(dir, port) {
                                    eventually(20.seconds) { application.rateLimiting.health().isUp shouldBe true }
                                    eventually(20.seconds) { application.rateLimiting.isStoreUp shouldBe true }
                                    eventually(20.seconds) {
                                        List(2) { get("/last").status }.last() shouldBe 429
                                        application.rateLimiting.peek("/last", "global", null)[0].remaining() shouldBe 0
                                    }
                                }
                            } finally {
                                goesOn.set(false)
                                callers.forEach { it.join() }
                            }
                            statuses.distinct() shouldContainExactly listOf(200)
                        }
                    }
                }
            }
        }

        test("a store that is told to refuse while Redis is away refuses with 503, whatever failOpen says") {
            withRedis(dir) { url ->
                RedisStore.builder().failurePolicy(FailurePolicy.closed()).connect(url).use { redis ->
                    limited({
                        store = redis
                        rule("/*") { perIp(1.perHour) }
                    }) {
                        get().status shouldBe 200
                        get().status shouldBe 429
                        killRedis(url)
                        eventually(20.seconds) {
                            val refused = get()
                            refused.status shouldBe 503
                            refused["Retry-After"]!!.toLong() shouldBeGreaterThan 0L
                            refused["X-RateLimit-Limit"] shouldBe null
                            refused.body shouldNotContain "violated"
                        }
                    }
                }
            }
        }

        test("that a store is back is known without a call") {
            withRedis(dir) { url ->
                val port = url.substringAfterLast(':').toInt()
                RedisStore.builder().failurePolicy(FailurePolicy.raise()).connect(url).use { redis ->
                    limited({
                        store = redis
                        rule("/*") { perIp(1_000.perHour) }
                    }) {
                        killRedis(url)
                        eventually(20.seconds) { application.rateLimiting.isStoreUp shouldBe false }
                        get().status shouldBe 200
                        withRedis(dir, port) { eventually(20.seconds) { application.rateLimiting.isStoreUp shouldBe true } }
                    }
                }
            }
        }

        test("what stands in for Redis refuses with 429 when it is used up (firecrawl#3728)") {
            withRedis(dir) { url ->
                RedisStore.builder().failurePolicy(FailurePolicy.local()).connect(url).use { redis ->
                    limited({
                        store = redis
                        rule("/*") { perIp(5.perHour) }
                    }) {
                        killRedis(url)
                        val statuses = List(8) { get().status }
                        statuses.toSet() shouldBe setOf(200, 429)
                        statuses.count { it == 200 } shouldBeInRange 5..6
                    }
                }
            }
        }
    })

private fun freePort() = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }

/** Not within a test, whose coroutine would wait for its end. */
private fun another(): Application = embeddedServer(CIO) { }.application

private fun bucket(
    scope: String,
    key: String?,
) = BucketKey("http /* $scope", key, 0)

/** How many have it open, beside whoever asks. */
private fun clients(url: String): Int {
    val client = RedisClient.create(url)
    try {
        return client.connect().use { it.sync().clientList() }.lines().count { it.isNotBlank() } - 1
    } finally {
        client.shutdown()
    }
}

/** As if it had crashed: it saves nothing, and says nothing. */
private fun killRedis(url: String) {
    val port = url.substringAfterLast(':').toInt()
    Socket("127.0.0.1", port).use { it.getOutputStream().write("SHUTDOWN NOSAVE FORCE\r\n".toByteArray()) }
}
