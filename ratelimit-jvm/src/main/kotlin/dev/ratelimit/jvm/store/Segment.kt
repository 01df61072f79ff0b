package dev.ratelimit.jvm.store

import java.util.concurrent.atomic.AtomicReferenceArray

/**
 * A part of the [BucketTable]: chains of buckets. Reading takes no lock. A reader that runs beside a rehash may miss a bucket that
 * is there, never find one that is not; whoever misses looks again under the lock, so nothing is created twice.
 *
 * All functions but [find] are called with the segment's monitor held.
 */
internal class Segment {
    @Volatile
    private var chains = AtomicReferenceArray<Bucket?>(MIN_CHAINS)
    private var hand = 0

    var size = 0
        private set

    /** The latest instant at which a bucket was dropped for being full: new ones are full from then on, not before. */
    @JvmField
    @Volatile
    var droppedAt = Long.MIN_VALUE

    fun find(
        hash: Int,
        rule: Rule,
        key: Any?,
    ): Bucket? {
        val chains = chains
        var bucket = chains.get(hash and (chains.length() - 1))
        while (bucket != null) {
            if (bucket.hash == hash && bucket.isOf(rule, key)) return bucket
            bucket = bucket.next
        }
        return null
    }

    fun insert(bucket: Bucket) {
        if (size >= chains.length() && chains.length() < MAX_CHAINS) rehash(chains.length() * 2)
        val place = bucket.hash and (chains.length() - 1)
        bucket.next = chains.get(place)
        chains.set(place, bucket)
        size++
    }

    /** Takes [bucket] out of its chain; its own link stays, for readers that stand on it. */
    fun unlink(bucket: Bucket) {
        val place = bucket.hash and (chains.length() - 1)
        val first = chains.get(place)
        if (first === bucket) {
            chains.set(place, bucket.next)
        } else {
            var before = first ?: return
            while (before.next !== bucket) before = before.next ?: return
            before.next = bucket.next
        }
        size--
    }

    /** Shows the buckets of the next [count] chains to [visit], which may unlink the one it is shown. */
    inline fun visitChains(
        count: Int,
        visit: (Bucket) -> Unit,
    ) {
        repeat(minOf(count, chains.length())) {
            var bucket = chains.get(hand and (chains.length() - 1))
            hand = (hand + 1) and (chains.length() - 1)
            while (bucket != null) {
                val next = bucket.next
                visit(bucket)
                bucket = next
            }
        }
    }

    val chainCount: Int get() = chains.length()

    fun shrinkIfSparse() {
        if (chains.length() > MIN_CHAINS && size < chains.length() / SPARSE) rehash(chains.length() / 2)
    }

    private fun rehash(length: Int) {
        val old = chains
        val new = AtomicReferenceArray<Bucket?>(length)
        for (i in 0 until old.length()) {
            var bucket = old.get(i)
            while (bucket != null) {
                val next = bucket.next
                val place = bucket.hash and (length - 1)
                bucket.next = new.get(place)
                new.set(place, bucket)
                bucket = next
            }
        }
        chains = new
    }

    private companion object {
        const val MIN_CHAINS = 16
        const val MAX_CHAINS = 1 shl 28
        const val SPARSE = 8
    }
}
