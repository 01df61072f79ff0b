package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.limiter.Declaring
import dev.ratelimit.jvm.limiter.LimiterOptions
import dev.ratelimit.jvm.limiter.OneLine
import dev.ratelimit.jvm.limiter.RemoteFamily
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.spi.RateLimitStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import java.lang.ref.WeakReference
import java.time.Duration
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.milliseconds

/** What limiters declare, and when they stop. */
internal class DeclarationTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }

        test("a declaration to a server that hangs fails at its deadline, and the outage is known") {
            val outages = Outages()
            storeAt(server.uri) {
                deadline(300.milliseconds)
                listener(outages)
            }.use { store ->
                store.declareAsync("limiter", "me", listOf(SLOW), Duration.ofSeconds(5)).answer() shouldBe setOf(SLOW)
                server.pause()
                try {
                    val declared = store.declareAsync("limiter", "me", listOf(SLOW), Duration.ofSeconds(5))
                    shouldThrow<RateLimitStoreException> { declared.answer() }.message shouldContain "300 ms"
                    awaitThat("the outage is known") { outages.began.size == 1 }
                } finally {
                    server.resume()
                }
                awaitThat("the server is asked again") { store.serves() }
                store.declareAsync("limiter", "me", listOf(SLOW), Duration.ofSeconds(5)).answer() shouldBe setOf(SLOW)
            }
        }

        test("a closed store is told nothing more") {
            storeAt(server.uri).use { open ->
                val told = Told(open)
                declaring("open", told)
                val closed = storeAt(server.uri)
                val toldClosed = Told(closed)
                val family = declaring("closed", toldClosed)
                awaitThat("a few declarations") { toldClosed.times("closed") > 3 }
                closed.close()
                // What was on its way, and the one that hears of the end.
                val last = toldClosed.times("closed") + 2
                told.awaitMore("open", 20)
                toldClosed.times("closed") shouldBeInRange 1..last
                family.limits shouldBe listOf(10.perHour)
            }
        }

        test("a limiter that was collected declares no more, and is forgotten") {
            storeAt(server.uri).use { store ->
                val told = Told(store)
                val kept = declaring("kept", told)
                val gone = WeakReference(declaring("collected", told))
                awaitThat("its declaration") { told.times("collected") > 0 && server.declared("collected") == 1L }
                awaitThat("its collection") { System.gc().let { gone.get() == null } }
                awaitThat("the end of its declarations") {
                    val before = told.times("collected")
                    told.awaitMore("kept", 20)
                    told.times("collected") == before
                }
                awaitThat("its being forgotten") { server.declared("collected") == 0L }
                kept.limits shouldBe listOf(10.perHour)
            }
        }
    })

/** Counts what it is told. */
private class Told(
    private val store: RateLimitStore,
) : RateLimitStore by store {
    private val times = ConcurrentHashMap<String, AtomicLong>()

    fun times(limiter: String): Long = times[limiter]?.get() ?: 0

    fun awaitMore(
        limiter: String,
        more: Long,
    ) {
        val from = times(limiter)
        awaitThat("$more more declarations") { times(limiter) >= from + more }
    }

    override fun declareAsync(
        limiter: String,
        member: String,
        limits: List<RateLimit>,
        validity: Duration,
    ) = times.computeIfAbsent(limiter) { AtomicLong() }.incrementAndGet().let { store.declareAsync(limiter, member, limits, validity) }
}

private val RemoteFamily.limits: List<RateLimit> get() = slots.limits

private fun declaring(
    name: String,
    store: RateLimitStore,
): RemoteFamily {
    val family = RemoteFamily(name, listOf(10.perHour), store, LimiterOptions(null, Dispatchers.Default, 10), OneLine(10))
    family.declareIn(store, Declaring.Timing(between = Duration.ofMillis(10), validity = Duration.ofMillis(500)))
    return family
}

private fun RedisServer.declared(limiter: String): Long = ask { exists("ratelimit:{$limiter}:declared") }
