package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.RedisStoreBuilder
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds

/** Leases and remembered denials while Redis is away, and after. */
internal class FrontsInOutageTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }
        val ten = RateLimit.tokenBucket(10, Duration.ofHours(1))

        fun away(
            name: String,
            policy: FailurePolicy,
            settings: RedisStoreBuilder.() -> Unit,
            meanwhile: (RedisStore) -> Unit,
            after: (RedisStore) -> Unit,
        ) = test(name) {
            val outages = Outages()
            storeAt(server.uri, policy) {
                listener(outages)
                settings()
            }.use { store ->
                server.kill()
                try {
                    awaitThat("the outage is known") { outages.began.size == 1 }
                    meanwhile(store)
                } finally {
                    server.restart()
                }
                awaitThat("its end is known") { outages.ended.size == 1 }
                after(store)
            }
        }

        for ((what, settings) in listOf<Pair<String, RedisStoreBuilder.() -> Unit>>("" to {}, " of a lease" to { lease(5, 1.hours) })) {
            away(
                "that Redis cannot be asked is no denial, and is never remembered as one$what",
                FailurePolicy.closed(),
                {
                    denialCache(100)
                    settings()
                },
                meanwhile = { store -> repeat(1_000) { store.take(limit = ten).isUnavailable shouldBe true } },
                after = { store -> store.take(limit = ten).isAllowed shouldBe true },
            )

            away(
                "what is denied in memory meanwhile is not remembered against Redis$what",
                FailurePolicy.local(),
                {
                    denialCache(100)
                    settings()
                },
                meanwhile = { store -> List(30) { store.take(limit = ten) }.count { it.isAllowed } shouldBe 10 },
                after = { store -> store.take(limit = ten).isAllowed shouldBe true },
            )
        }

        test("what is leased is used while the server is gone, and no permit more") {
            val outages = Outages()
            storeAt(server.uri, FailurePolicy.closed()) {
                listener(outages)
                lease(50, 1.hours)
            }.use { store ->
                val key = keyOf("leased and gone")
                store.take(key = key).isAllowed shouldBe true
                server.used(key) shouldBe 50
                server.kill()
                awaitThat("the outage is known") { outages.began.size == 1 }
                val results = List(200) { store.take(key = key) }
                results.count { it.isAllowed } shouldBe 49
                results.count { it.isUnavailable } shouldBe 151
                server.restart()
                awaitThat("the server is asked again") { store.serves(key) }
                server.used(key) shouldBe 50
            }
        }

        test("a server that hangs and comes back has charged what was granted, when all that was leased is returned") {
            val outages = Outages()
            val key = keyOf("leased and hanging")
            storeAt(server.uri, FailurePolicy.closed()) {
                deadline(300.milliseconds)
                listener(outages)
                lease(200, 1.hours)
            }.use { store ->
                var granted = 0L

                fun take() = store.take(key = key).also { if (it.isAllowed) granted++ }
                awaitThat("a grant") { take().isAllowed }
                server.pause()
                try {
                    awaitThat("the outage is known") { take().isAllowed || outages.began.size == 1 }
                    awaitThat("the end of the lease") { take().isUnavailable }
                    repeat(100) { take().isUnavailable shouldBe true }
                } finally {
                    server.resume()
                }
                awaitThat("the server is asked again") { take().isAllowed }
                store.close()
                awaitThat("what was not used is returned") { server.used(key) == granted }
            }
        }
    })
