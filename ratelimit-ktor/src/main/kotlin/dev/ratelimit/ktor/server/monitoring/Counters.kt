package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitCounts
import java.time.Clock
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.atomic.LongAdder
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/**
 * The counters of all calls, rules and endpoints. They run on from the start; the first call of a minute hands on what the minute before
 * has added. A call that comes just while that happens goes on at once, and counts for one of the two minutes; none is lost and none
 * counts twice.
 *
 * @param handOn is given what a minute has added to a subject; one call at a time
 */
internal class Counters(
    private val clock: Clock,
    private val handOn: (minute: Long, subject: Subject, figures: Figures) -> Unit,
) {
    private val rules = ConcurrentHashMap<String, DatedCounter>()
    private val endpoints = ConcurrentHashMap<String, DatedCounter>()
    private val lock = ReentrantLock()

    @Volatile
    private var minute = clock.minute()

    init {
        counter("")
    }

    fun counter(rule: String): Counter =
        rules[rule] ?: rules.computeIfAbsent(rule) { DatedCounter(this, if (it.isEmpty()) Subject.All else Subject.OfRule(it)) }

    fun endpoint(endpoint: String): Counter =
        endpoints[endpoint] ?: endpoints.computeIfAbsent(endpoint) { DatedCounter(this, Subject.OfEndpoint(it)) }

    /** The names of all endpoints that have a counter. */
    val endpointNames: Set<String> get() = endpoints.keys

    /** Before each call is counted. */
    fun tick() {
        val now = clock.minute()
        if (now == minute || !lock.tryLock()) return
        try {
            turn(now)
        } finally {
            lock.unlock()
        }
    }

    private fun turn(now: Long) {
        // Whoever looked at the clock just before the minute was over is late, and not a clock that was put back.
        if (now <= minute && now >= minute - 1) return
        handOnAll()
        minute = now
    }

    /** Hands on what was counted until now, and does [then] before more is handed on. */
    fun <T> collect(then: () -> T): T =
        lock.withLock {
            handOnAll()
            minute = clock.minute()
            then()
        }

    private fun handOnAll() {
        for (counter in rules.values + endpoints.values) counter.added()?.let { handOn(minute, counter.subject, it) }
    }

    /** Of all calls, by an empty name, and of rules. */
    fun counts(): Map<String, RateLimitCounts> = lock.withLock { rules.mapValues { it.value.all() } }

    private class DatedCounter(
        private val counters: Counters,
        val subject: Subject,
    ) : Counter {
        private val sums = Array(Figures.LONGEST) { LongAdder() }
        private val longest = AtomicLong()

        // What was handed on already.
        private val handedOn = LongArray(Figures.LONGEST)
        private var longestHandedOn = 0L

        override fun add(
            outcome: Outcome,
            nanos: Long,
        ) {
            // Of each call this comes first.
            if (subject == Subject.All) counters.tick()
            sums[outcome.ordinal].increment()
            sums[Figures.TIME].add(nanos)
            if (nanos > longest.get()) longest.accumulateAndGet(nanos, Math::max)
        }

        fun added(): Figures? {
            var figures: Figures? = null
            for (place in sums.indices) {
                val sum = sums[place].sum()
                if (sum == handedOn[place]) continue
                figures = figures ?: Figures()
                figures.add(place, sum - handedOn[place])
                handedOn[place] = sum
            }
            val longest = longest.getAndSet(0)
            if (longest > 0) {
                figures = figures ?: Figures()
                figures.add(Figures.LONGEST, longest)
                longestHandedOn = maxOf(longestHandedOn, longest)
            }
            return figures
        }

        fun all(): RateLimitCounts {
            val figures = Figures()
            sums.forEachIndexed { place, sum -> figures.add(place, sum.sum()) }
            figures.add(Figures.LONGEST, maxOf(longestHandedOn, longest.get()))
            return figures.counts()
        }
    }
}
