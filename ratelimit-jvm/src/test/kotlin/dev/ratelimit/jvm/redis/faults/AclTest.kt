package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.spi.Adjustment
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.time.Duration
import kotlin.time.Duration.Companion.hours

/** The permissions that the README lists are enough, and none of them is too many. */
internal class AclTest :
    FunSpec({
        fun everything(store: RedisStore) {
            for (algorithm in Algorithm.entries) {
                val key = keyOf("$algorithm")
                val limit = algorithm.limit(5, 1.hours)
                store.take(3, key, limit)
                store.tryAcquireAsync(listOf(limit.charge(1, key), limit.charge(1, keyOf("other $algorithm"))), 0).answer()
                store.peekAsync(listOf(limit.charge(1, key)), 0).answer()
                store.reserveAsync(listOf(limit.charge(1, key)), 2, 1).answer()
                store.adjustAsync(listOf(Adjustment(key, limit, -3))).answer()
                store.take(1, key, algorithm.limit(7, 1.hours))
            }
            // From a log to a string and back.
            store.take(1, keyOf("sliding-log"), SLOW)
            store.take(1, keyOf("sliding-log"), Algorithm.SLIDING_LOG.limit(5, 1.hours))
            store.resetAsync(Algorithm.entries.map { keyOf("$it") }).answer()
            store.declareAsync("limiter", "me", listOf(SLOW), Duration.ofSeconds(5)).answer() shouldBe setOf(SLOW)
        }

        fun userOf(server: RedisServer) = "redis://app:pw@127.0.0.1:${server.port}"

        fun server(
            commands: List<String>,
            keys: String = "~ratelimit:*",
        ) = RedisServer("--user", "app", "on", ">pw", "resetkeys", keys, "-@all", *commands.toTypedArray())

        test("a user with these commands and keys can do all that the store does: ${COMMANDS.joinToString(" ")}") {
            server(COMMANDS).use { server ->
                for (isStrict in listOf(false, true)) {
                    storeAt(userOf(server)) { strict(isStrict) }.use(::everything)
                }
            }
        }

        for (missing in COMMANDS) {
            test("without $missing there is a clear error") {
                server(COMMANDS - missing).use { server ->
                    val failure =
                        shouldThrow<RateLimitStoreException> {
                            for (isStrict in listOf(false, true)) {
                                storeAt(userOf(server)) { strict(isStrict) }.use(::everything)
                            }
                        }
                    withClue(failure.message) { failure.message shouldContain Regex("(?i)permission|permit|NOPERM") }
                }
            }
        }

        test("with another key pattern there is a clear error when the store is made") {
            server(COMMANDS, "~others:*").use { server ->
                shouldThrow<RateLimitStoreException> { storeAt(userOf(server)) }.message shouldContain "permi"
                storeAt(userOf(server)) { keyPrefix("others:") }.use { everything(it) }
            }
        }
    })

private val COMMANDS =
    "+evalsha +eval +time +mget +get +getex +set +del +exists +hget +hmget +hset +hdel +hgetall +pexpire".split(' ')
