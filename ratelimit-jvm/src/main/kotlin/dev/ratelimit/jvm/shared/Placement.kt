package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.algorithm.Meter

/**
 * Gives keys their slots. Of two who make a slot for the same key at once, one does: a stripe of keys has a word that says who may.
 *
 * Where both groups of a key are full, those slots go whose buckets equal fresh ones, which loses nothing; where there are none, the one
 * that was asked least, among those the one nearest to full, so that a flood of new keys does not set free one that is exhausted.
 */
internal class Placement(
    private val words: Words,
    private val table: Table,
    private val marks: Marks,
    private val states: States,
    private val transactions: Transactions,
) {
    /** The slot of [tag] under [limit]; made, or taken over from another limit, if need be. */
    fun placeFor(
        tag: KeyTag,
        limit: StoredLimit,
        meter: Meter,
        now: Long,
    ): Place {
        while (true) {
            val found = table.find(tag)
            if (found != null && found.limit == limit) return found
            awaitStripe(tag)
            transactions.run { make(it, tag, limit, meter, now) }?.let { return it }
            words.retry(stripeOf(tag))
        }
    }

    private fun awaitStripe(tag: KeyTag) {
        val stripe = stripeOf(tag)
        val held = words.get(stripe)
        if (held != State.FREE) marks.await(stripe, held)
    }

    /** Null if something came between. */
    private fun make(
        change: Transaction,
        tag: KeyTag,
        limit: StoredLimit,
        meter: Meter,
        now: Long,
    ): Place? {
        if (!change.mark(stripeOf(tag), State.FREE)) return null
        val present = table.find(tag)
        if (present != null && present.limit == limit) return present
        val former = present?.let { Former.held(words, states, change, it, now) ?: return null }
        val at = claim(change, tag, present, now) ?: return null
        val place = table.fill(at, tag, limit)
        val start = maxOf(now, words.droppedAt())
        val state = former?.carriedTo(meter, now) ?: meter.fresh(start)
        // From the incarnation, so that a word which stood for the slot's former bucket does not come again.
        val word = states.wordOf(meter, state, State.encoded(place.meta * SPREAD))
        change.become(at + Layout.STATE, word)
        val done = change.commit()
        if (done) former?.let { states.discard(it.meter, it.word) } else states.discard(meter, word)
        return place.takeIf { done }
    }

    /** A bucket that another limit has ruled until now, held by the transaction that ends it. */
    private class Former(
        val meter: Meter?,
        val word: Long,
        val state: LongArray?,
    ) {
        /** The state under the new limit; null if this one was damaged. */
        fun carriedTo(
            to: Meter,
            now: Long,
        ): LongArray? = runCatching { to.carry(checkNotNull(meter), checkNotNull(state).copyOf(), now) }.getOrNull()

        companion object {
            fun held(
                words: Words,
                states: States,
                change: Transaction,
                place: Place,
                now: Long,
            ): Former? {
                val at = place.at + Layout.STATE
                val word = words.get(at)
                if (!State.isState(word) || !change.mark(at, word, State.FREE)) return null
                if (words.get(place.at + Layout.META) != place.meta) return null
                val meter = states.meterOf(place.limit)
                val state = meter?.let { states.stateOf(it, word, now) }
                return if (change.holds(at)) Former(meter, word, state) else null
            }
        }
    }

    /** A free slot for [tag], now the transaction's; null if others took what was made free for it. */
    private fun claim(
        change: Transaction,
        tag: KeyTag,
        present: Place?,
        now: Long,
    ): Int? {
        val slots = table.slotsFor(tag)
        firstFree(change, slots)?.let { return it }
        val others = slots.filter { it != present?.at }
        others.forEach { dropIfFull(it, now) }
        // Whoever looks for room here at the same time may have dropped them first.
        firstFree(change, slots)?.let { return it }
        dropLeastUseful(others, now)
        return firstFree(change, slots)
    }

    private fun firstFree(
        change: Transaction,
        slots: IntArray,
    ): Int? = slots.firstOrNull { words.get(it + Layout.STATE) == State.FREE && change.claim(it + Layout.STATE) }

    private fun dropIfFull(
        at: Int,
        now: Long,
    ) {
        val bucket = bucketAt(at) ?: return
        if (table.touches(at) == 0 || states.untilFull(bucket.place, bucket.word, now) > 0) return
        // First, so that nobody finds the slot free and takes an earlier instant for the bucket's beginning.
        words.noteDrop(now)
        states.drop(bucket.place, bucket.word)
    }

    private fun dropLeastUseful(
        slots: List<Int>,
        now: Long,
    ) {
        class Candidate(
            val bucket: Found,
        ) {
            // Whoever has just made a slot is about to ask it.
            val uses = table.touches(bucket.place.at).let { if (it == 0) Int.MAX_VALUE else it }
            val untilFull = states.untilFull(bucket.place, bucket.word, now)
        }
        slots
            .mapNotNull { at -> bucketAt(at)?.let(::Candidate) }
            .minWithOrNull(compareBy({ it.uses }, { it.untilFull }))
            ?.let { states.drop(it.bucket.place, it.bucket.word) }
    }

    /** A bucket and the word of its state. */
    private class Found(
        val place: Place,
        val word: Long,
    )

    /** The bucket in the slot at [at]; null if there is none, or if it comes or goes at this moment. */
    private fun bucketAt(at: Int): Found? {
        val meta = words.get(at + Layout.META)
        val word = words.get(at + Layout.STATE)
        if (!State.isState(word)) return null
        // Read after the state, with which the slot is complete: until then some of it may be the former bucket's.
        val place = Place(at, meta, table.limitAt(at, meta))
        return if (words.get(at + Layout.META) == meta) Found(place, word) else null
    }

    private fun stripeOf(tag: KeyTag): Int = Layout.STRIPES + ((tag.second ushr STRIPE_SHIFT) % Layout.STRIPE_COUNT).toInt() * Layout.WORD

    private companion object {
        const val STRIPE_SHIFT = 32

        /** 2^64 / φ, odd: Knuth, "The Art of Computer Programming", volume 3, 6.4. */
        const val SPREAD = -0x61c8864680b583ebL
    }
}
