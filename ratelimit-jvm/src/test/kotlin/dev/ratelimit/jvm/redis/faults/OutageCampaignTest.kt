package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.LockSupport
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Many calls for a long time while there is nobody to answer them. */
internal class OutageCampaignTest :
    FunSpec({
        test("at 1,000 calls a second a server that hangs, and then is gone, piles nothing up (lettuce#813, SCG#1634)") {
            RedisServer().use { server ->
                val outages = Outages()
                storeAt(server.uri, FailurePolicy.closed()) {
                    deadline(300.milliseconds)
                    listener(outages)
                }.use { store ->
                    awaitThat("a grant") { store.serves() }
                    val pending = ArrayDeque<CompletableFuture<RateLimitResult>>()
                    var decided = 0
                    var most = 0

                    fun campaign(
                        seconds: Int,
                        keys: Int,
                    ) {
                        val started = TimeSource.Monotonic.markNow()
                        repeat(seconds * 1_000) { i ->
                            val key = keyOf("user-${i % keys}")
                            pending += store.tryAcquireAsync(listOf(SLOW.charge(1, key)), Long.MAX_VALUE).toCompletableFuture()
                            while (pending.firstOrNull()?.isDone == true) {
                                pending.removeFirst().join().isUnavailable shouldBe true
                                decided++
                            }
                            most = maxOf(most, pending.size)
                            val ahead = i.milliseconds - started.elapsedNow()
                            LockSupport.parkNanos(ahead.inWholeNanoseconds)
                        }
                    }
                    server.pause()
                    campaign(SECONDS, keys = 1_000)
                    server.kill()
                    campaign(SECONDS, keys = 1_000)
                    pending.forEach { it.get(20, TimeUnit.SECONDS).isUnavailable shouldBe true }
                    (decided + pending.size) shouldBe 2 * SECONDS * 1_000
                    // The 300 that come before the deadline tells of the outage, with room for a machine that is busy.
                    most shouldBeLessThan 3_000
                    outages.began.size shouldBe 1
                    server.restart()
                    awaitThat("the server is asked again", 10.seconds) { store.serves() }
                    server.used() shouldBe 1
                }
            }
        }
    })

/** Of each half: the server hangs, then it is gone. */
private val SECONDS = Integer.getInteger("ratelimit.redis.outage.seconds", 30)
