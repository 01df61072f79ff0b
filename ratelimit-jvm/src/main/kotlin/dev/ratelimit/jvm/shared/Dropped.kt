package dev.ratelimit.jvm.shared

/**
 * The latest instant at which a bucket was dropped, which is the earliest at which a new one may begin. It stands in the file twice and the
 * lesser counts, so that one word that was damaged does not have all new buckets begin in years.
 */
internal fun Words.droppedAt(): Long = minOf(get(Layout.DROPPED_AT), get(Layout.DROPPED_AT_AGAIN))

/** To be noted before the drop. */
internal fun Words.noteDrop(now: Long) {
    raise(Layout.DROPPED_AT, now)
    raise(Layout.DROPPED_AT_AGAIN, now)
}
