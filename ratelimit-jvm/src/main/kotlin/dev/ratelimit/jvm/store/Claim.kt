package dev.ratelimit.jvm.store

import dev.ratelimit.jvm.algorithm.Meter

/** Permits asked of the bucket of [key] under [rule]: a charge in the terms of the memory store. */
internal class Claim(
    @JvmField val rule: Rule,
    @JvmField val key: Any?,
    override val permits: Long,
) : Asked {
    override val meter: Meter get() = rule.meter

    fun isSameBucketAs(other: Claim) = key == other.key && rule.isSamePlaceAs(other.rule)
}

/** The claims with those on the same bucket added up, so that each bucket stands there once. */
internal fun merged(claims: List<Claim>): List<Claim> {
    if (areDistinct(claims)) return claims
    val distinct = ArrayList<Claim>(claims.size)
    for (claim in claims) {
        val same = distinct.indexOfFirst { it.isSameBucketAs(claim) }
        if (same < 0) {
            distinct += claim
        } else {
            val sum = distinct[same].permits + claim.permits
            claim.rule.meter.limit
                .checkPermits(if (sum < 0) Long.MAX_VALUE else sum)
            distinct[same] = Claim(claim.rule, claim.key, sum)
        }
    }
    return distinct
}

private fun areDistinct(claims: List<Claim>): Boolean {
    for (i in claims.indices) for (j in 0 until i) if (claims[i].isSameBucketAs(claims[j])) return false
    return true
}

/** The first claim on each bucket. */
internal fun distinct(claims: List<Claim>): List<Claim> =
    claims.filterIndexed { i, claim -> (0 until i).none { claims[it].isSameBucketAs(claim) } }
