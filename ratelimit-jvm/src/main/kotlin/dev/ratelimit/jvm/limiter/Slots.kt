package dev.ratelimit.jvm.limiter

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import java.math.BigInteger
import java.util.Objects
import kotlin.math.abs
import kotlin.math.ln

/**
 * The limits of one limiter, each at its place. A limit that stays keeps its place when others come and go, and with it its
 * buckets; a new one takes over the place, and so the used permits, of the one that it replaces: the one most alike.
 */
internal class Slots private constructor(
    @JvmField val limits: List<RateLimit>,
    @JvmField val places: IntArray,
) {
    /** Whether only sums count, not windows: then a late timer may be made up for. */
    val allRefillSmoothly: Boolean get() = limits.all { it.algorithm() == Algorithm.TOKEN_BUCKET }

    /** These limits changed to [limits]. */
    fun changedTo(limits: List<RateLimit>): Slots {
        val wanted = checked(limits)
        val free = places.toMutableList()
        val taken = arrayOfNulls<Int>(wanted.size)

        fun keep(alike: (RateLimit, RateLimit) -> Boolean) {
            for (i in wanted.indices.filter { taken[it] == null }) {
                val kept =
                    this.limits.indices
                        .filter { places[it] in free && alike(this.limits[it], wanted[i]) }
                        .minByOrNull { this.limits[it].distanceTo(wanted[i]) } ?: continue
                taken[i] = places[kept]
                free -= places[kept]
            }
        }
        keep { old, new -> old == new }
        keep { old, new -> old.algorithm() == new.algorithm() && old.period() == new.period() }
        keep { old, new -> old.algorithm() == new.algorithm() }
        var next = (places.maxOrNull() ?: -1) + 1
        for (i in wanted.indices) if (taken[i] == null) taken[i] = free.removeFirstOrNull() ?: next++
        return Slots(wanted, IntArray(wanted.size) { checkNotNull(taken[it]) })
    }

    /** These limits and [limits] together, without those that others imply: the strictest win. */
    fun tightenedBy(limits: List<RateLimit>): List<RateLimit> {
        val strictest = this.limits.toMutableList()
        for (limit in checked(limits)) {
            if (strictest.any { it.implies(limit) }) continue
            val replaced = strictest.indexOfFirst { limit.implies(it) }
            if (replaced >= 0) strictest[replaced] = limit else strictest += limit
            strictest.removeAll { it !== limit && limit.implies(it) }
        }
        return strictest
    }

    companion object {
        fun of(limits: List<RateLimit>): Slots = Slots(checked(limits), IntArray(limits.size) { it })

        /**
         * The same places in every process, in whatever order it was given the limits: those who let the strictest rule hear of the same
         * limits, but not in the same order, nor one after another.
         */
        fun canonical(limits: List<RateLimit>): Slots {
            val wanted = checked(limits)
            val order = wanted.indices.sortedWith(compareBy({ wanted[it].period() }, { wanted[it].algorithm() }, { "${wanted[it]}" }))
            val places = IntArray(wanted.size)
            order.forEachIndexed { place, i -> places[i] = place }
            return Slots(wanted, places)
        }

        private fun checked(limits: List<RateLimit>): List<RateLimit> {
            require(limits.isNotEmpty()) { "limits are empty; give at least one, for example RateLimit.perSecond(10)" }
            limits.forEachIndexed { i, limit -> Objects.requireNonNull(limit) { "limit ${i + 1} of ${limits.size} is null" } }
            return java.util.List.copyOf(limits)
        }

        /** Whether whatever this limit admits, [other] admits too. */
        private fun RateLimit.implies(other: RateLimit): Boolean =
            algorithm() == other.algorithm() &&
                when (algorithm()) {
                    Algorithm.TOKEN_BUCKET, Algorithm.LEAKY_BUCKET -> burst() <= other.burst() && isNoFasterThan(other)
                    else -> period() == other.period() && permits() <= other.permits()
                }

        private fun RateLimit.isNoFasterThan(other: RateLimit) = permits().big() * other.nanos() <= other.permits().big() * nanos()

        private fun RateLimit.nanos() = period().seconds.big() * 1_000_000_000L.big() + period().nano.toLong().big()

        /** How much the rates and the bursts differ, by factors. */
        private fun RateLimit.distanceTo(other: RateLimit): Double {
            val rates = (permits().toDouble() / other.permits()) * (other.nanos().toDouble() / nanos().toDouble())
            return abs(ln(rates)) + abs(ln(burst().toDouble() / other.burst()))
        }

        private fun Long.big() = BigInteger.valueOf(this)
    }
}
