package dev.ratelimit.jvm.redis.faults

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.lettuce.core.RedisClient
import org.slf4j.LoggerFactory
import java.io.PrintWriter
import java.io.StringWriter

private const val CANARY = "c4n4ry-s3cret"

/** A password that is seen nowhere: in no message, no cause of a cause, no log, no text of an object (lettuce#1405, redisson#7031). */
internal class SecretsTest :
    FunSpec({
        val server = RedisServer("--requirepass", CANARY)
        val seen = mutableListOf<String>()
        afterSpec { server.close() }

        fun uri(password: String = CANARY) = "redis://default:$password@127.0.0.1:${server.port}/0"

        fun note(failure: Throwable) {
            seen += StringWriter().also { failure.printStackTrace(PrintWriter(it)) }.toString()
            generateSequence(failure) { it.cause }.forEach { seen += "$it" }
        }

        fun watched(action: () -> Unit) {
            seen.clear()
            val ours = LoggerFactory.getLogger("dev.ratelimit") as Logger
            val before = ours.level
            ours.level = Level.TRACE
            val events =
                try {
                    recorded(Logger.ROOT_LOGGER_NAME, Level.INFO, action)
                } finally {
                    ours.level = before
                }
            seen += events.map { it.text() }
            seen.shouldNotBeEmpty()
            seen.forEach { it shouldNotContain CANARY }
        }

        test("a password that is right: not in the store's text, nor in what an outage logs and tells") {
            watched {
                val outages = Outages()
                storeAt(uri()) { listener(outages) }.use { store ->
                    seen += "$store"
                    val limiter = RateLimiter("limiter", SLOW, store = store)
                    seen += "$limiter"
                    store.take()
                    server.kill()
                    awaitThat("the outage is known") { outages.began.size == 1 }
                    note(shouldThrow<RateLimitStoreException> { limiter.acquireBlocking() })
                    outages.began.forEach(::note)
                    server.restart()
                    awaitThat("the server is asked again") { store.serves() }
                }
            }
            seen.find { "127.0.0.1:${server.port}" in it }.shouldNotBeNull()
        }

        test("a password that is wrong, or given to a server that wants none: not in the error, which names the remedy") {
            watched {
                RedisServer("--requirepass", "other").use { other ->
                    val failure = shouldThrow<RateLimitStoreException> { storeAt("redis://$CANARY@127.0.0.1:${other.port}") }
                    failure.message shouldContain "password"
                    note(failure)
                    RedisClient.create("redis://:$CANARY@127.0.0.1:${other.port}").use { client ->
                        note(shouldThrow<RateLimitStoreException> { RedisStore(client) })
                    }
                }
                val missing = shouldThrow<RateLimitStoreException> { storeAt("redis://127.0.0.1:${server.port}") }
                missing.message shouldContain "password"
                note(missing)
            }
        }

        test("a URI with a password that cannot be read, or leads nowhere: not in the error") {
            watched {
                for (uri in listOf("redis://user:$CANARY@host:port", "redis://:$CANARY@", "http://$CANARY@host", "redis://u:$CANARY@h h")) {
                    note(shouldThrow<IllegalArgumentException> { RedisStore.connect(uri) })
                }
                val dead = RedisServer().also { it.close() }
                note(shouldThrow<RateLimitStoreException> { storeAt("redis://user:$CANARY@127.0.0.1:${dead.port}") })
                note(shouldThrow<RateLimitStoreException> { storeAt("redis://user:$CANARY@no.such.host.invalid") })
                note(shouldThrow<RateLimitStoreException> { storeAt("redis-sentinel://$CANARY@127.0.0.1:${dead.port}/0#master") })
                storeAt("redis://user:$CANARY@127.0.0.1:${dead.port}", FailurePolicy.raise()) { mayStartAway(true) }.use { store ->
                    seen += "$store"
                    note(shouldThrow<RateLimitStoreException> { store.take() })
                }
            }
        }
    })

private fun ILoggingEvent.text(): String =
    formattedMessage + generateSequence(throwableProxy) { it.cause }.joinToString { " ${it.className}: ${it.message}" }
