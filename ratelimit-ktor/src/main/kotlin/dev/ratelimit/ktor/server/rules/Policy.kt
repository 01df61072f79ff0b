package dev.ratelimit.ktor.server.rules

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit

/**
 * One limit of a scope.
 *
 * @property name what answers call it, one of its kind in the rule
 * @property slot its place in the store: the same for limits of one algorithm and one period, so that other numbers find the same bucket
 */
internal class Policy(
    val name: String,
    val limit: RateLimit,
    val slot: Int,
) {
    /** Whether calls may have to wait for their turn. Stores gather questions about others. */
    val hasTurns: Boolean = limit.algorithm() == Algorithm.LEAKY_BUCKET

    /** The limit as answers write it: the same at every call. */
    val burst: String = limit.burst().toString()
    val algorithm: String =
        limit
            .algorithm()
            .name
            .lowercase()
            .replace('_', '-')

    /** A quota for a window; windows are whole seconds there, and left out where they are not. */
    private val quota: String = ";q=${limit.permits()}" + if (limit.period().nano == 0) ";w=${limit.period().seconds}" else ""

    /** A policy of `RateLimit-Policy`, under its own name. */
    val item: String = item(name)

    fun item(name: String): String = "\"$name\"$quota"

    companion object {
        private const val KINDS = 10
        private const val PERIODS = 200_000_000L

        fun of(
            scope: String,
            limits: List<RateLimit>,
        ): List<Policy> {
            val taken = HashSet<Int>()
            return limits.mapIndexed { i, limit ->
                var slot = (limit.period().toMillis() % PERIODS).toInt() * KINDS + limit.algorithm().ordinal
                // Two limits that differ in nothing but numbers: as they stand.
                while (!taken.add(slot)) slot = (slot + 1) and Int.MAX_VALUE
                Policy(if (i == 0) scope else "$scope-${i + 1}", limit, slot)
            }
        }
    }
}
