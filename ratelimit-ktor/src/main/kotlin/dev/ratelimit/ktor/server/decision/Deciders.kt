package dev.ratelimit.ktor.server.decision

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult

/**
 * Finds out whose answer it is. Of limits that are asked together the store tells which limit has decided: not which bucket, where two have
 * the same limit, and not what else refuses.
 */
internal class Deciders(
    private val asker: Asker,
) {
    /** The one that has this limit; null if there are more. What no limit has was decided by something that stands in for the store. */
    fun only(
        asked: List<Asked>,
        limit: RateLimit,
    ): Asked? {
        val first = asked.indexOfFirst { it.policy.limit == limit }
        if (first < 0) return asked[0]
        for (i in first + 1 until asked.size) if (asked[i].policy.limit == limit) return null
        return asked[first]
    }

    /** Of those with this limit the one with the fewest permits left; just the first, unless the store can be looked at for nothing. */
    suspend fun scarcest(
        asked: List<Asked>,
        limit: RateLimit,
    ): Asked {
        val alike = asked.filter { it.policy.limit == limit }
        val found = if (asker.isLocal) asker.peekAllOrNull(alike.map { it.charge }) else null
        return if (found == null) alike[0] else alike[found.indices.minBy { found[it].remaining() }]
    }

    /** All that refuse, the one with the longest wait first, which has this limit; of a store elsewhere, no more than have this limit. */
    suspend fun refusing(
        asked: List<Asked>,
        limit: RateLimit,
        maxWait: Long,
    ): List<Asked> {
        val only = only(asked, limit)
        val doubtful = if (asker.isLocal) asked else asked.filter { it.policy.limit == limit }
        if (only != null && doubtful.size <= 1) return listOf(only)
        val found = asker.peekAllOrNull(doubtful.map { it.charge }).orEmpty()
        val waits = doubtful.zip(found.map { wait(it, maxWait) }).filter { it.second > 0 }
        val refusing = waits.sortedByDescending { it.second }.map { it.first }
        // None refuses any more if others have given permits back by now.
        val first = only ?: refusing.firstOrNull { it.policy.limit == limit } ?: asked.first { it.policy.limit == limit }
        return listOf(first) + (refusing - first)
    }

    /** How long until it refuses no more; a call whose turn comes too late is refused too, though there is room for it. */
    private fun wait(
        result: RateLimitResult,
        maxWait: Long,
    ): Long = if (result.isAllowed) result.delayNanos() - maxWait else result.retryAfterNanos()
}
