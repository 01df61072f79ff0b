package dev.ratelimit.jvm.shared

/**
 * Finds the slot of a key. A key has two groups of 16 slots in which it may be, so a look takes a few cache lines whether the key is
 * there or not, and nothing has to move when slots come and go: Azar, Broder, Karlin and Upfal, "Balanced allocations", STOC 1994.
 */
internal class Table(
    private val words: Words,
    private val marks: Marks,
    private val groups: Int,
) {
    /** The slot of [tag], or null. */
    fun find(tag: KeyTag): Place? {
        val first = firstGroup(tag)
        return findIn(first, tag) ?: findIn(secondGroup(tag, first), tag)
    }

    private fun findIn(
        group: Int,
        tag: KeyTag,
    ): Place? {
        for (i in 0 until Layout.SLOTS_PER_GROUP) {
            if (words.get(Layout.tagAt(group, i)) == tag.first) placeAt(Layout.slotAt(group, i), tag)?.let { return it }
        }
        return null
    }

    /** The slot at [at], if it is in use for [tag]; read again if it changes hands meanwhile. */
    private fun placeAt(
        at: Int,
        tag: KeyTag,
    ): Place? {
        while (true) {
            val meta = words.get(at + Layout.META)
            if (!isFor(at, tag)) return null
            val state = words.get(at + Layout.STATE)
            if (state == State.FREE) return null
            if (State.isMark(state)) {
                if (marks.isNascent(at + Layout.STATE, state)) return null
                if (!marks.await(at + Layout.STATE, state)) return null
                continue
            }
            // Read after the state, with which the slot is complete: until then some of it may be the former bucket's.
            if (!isFor(at, tag)) return null
            val place = Place(at, meta, limitAt(at, meta))
            if (words.get(at + Layout.META) == meta) return place
            words.retry(at + Layout.META)
        }
    }

    private fun isFor(
        at: Int,
        tag: KeyTag,
    ) = (words.get(at + Layout.TAG) xor tag.second) ushr TOUCH_BITS == 0L

    fun limitAt(
        at: Int,
        meta: Long,
    ) = StoredLimit(
        (meta and ALGORITHM).toInt(),
        words.get(at + Layout.PERMITS),
        words.get(at + Layout.PERIOD),
        words.get(at + Layout.BURST),
    )

    /** Writes a slot that is claimed; its state comes later, and only then is it there for others. */
    fun fill(
        at: Int,
        tag: KeyTag,
        limit: StoredLimit,
    ): Place {
        val incarnation = (words.get(at + Layout.META) ushr ALGORITHM_BITS) + 1
        val meta = (incarnation shl ALGORITHM_BITS) or limit.algorithm.toLong()
        words.set(at + Layout.META, meta)
        words.set(at + Layout.TAG, tag.second and TOUCHES.inv())
        words.set(at + Layout.PERMITS, limit.permits)
        words.set(at + Layout.PERIOD, limit.period)
        words.set(at + Layout.BURST, limit.burst)
        words.set(tagOf(at), tag.first)
        return Place(at, meta, limit)
    }

    /** Counts one more use, up to a few, for the choice of whom to drop; a count that is lost does not matter. */
    fun touch(at: Int) {
        val tag = words.get(at + Layout.TAG)
        if (tag and TOUCHES != TOUCHES) words.swap(at + Layout.TAG, tag, tag + 1)
    }

    fun touches(at: Int): Int = (words.get(at + Layout.TAG) and TOUCHES).toInt()

    /** The slots in which the bucket of [tag] may be; those of the emptier group first. */
    fun slotsFor(tag: KeyTag): IntArray {
        val first = firstGroup(tag)
        val second = secondGroup(tag, first)
        val isFirstFuller = freeIn(first) < freeIn(second)
        return slotsOf(if (isFirstFuller) second else first) + slotsOf(if (isFirstFuller) first else second)
    }

    private fun slotsOf(group: Int) = IntArray(Layout.SLOTS_PER_GROUP) { Layout.slotAt(group, it) }

    private fun freeIn(group: Int) =
        (0 until Layout.SLOTS_PER_GROUP).count { words.get(Layout.slotAt(group, it) + Layout.STATE) == State.FREE }

    /** How many slots are in use; looks at all of them. */
    fun size(): Int = (0 until groups).sumOf { Layout.SLOTS_PER_GROUP - freeIn(it) }

    private fun firstGroup(tag: KeyTag): Int = java.lang.Long.remainderUnsigned(tag.first, groups.toLong()).toInt()

    private fun secondGroup(
        tag: KeyTag,
        first: Int,
    ): Int {
        val step = 1 + java.lang.Long.remainderUnsigned(tag.second ushr TOUCH_BITS, groups - 1L).toInt()
        return (first + step) % groups
    }

    companion object {
        private const val ALGORITHM_BITS = 8
        private const val ALGORITHM = 0xffL
        private const val TOUCH_BITS = 4
        private const val TOUCHES = 0xfL

        private fun tagOf(slot: Int): Int {
            val offset = slot - Layout.GROUPS
            val group = offset / Layout.GROUP_BYTES
            return Layout.tagAt(group, (offset % Layout.GROUP_BYTES - Layout.SLOTS) / Layout.SLOT_BYTES)
        }
    }
}

/** A slot at one incarnation: if its meta is another, it is another bucket. */
internal class Place(
    @JvmField val at: Int,
    @JvmField val meta: Long,
    @JvmField val limit: StoredLimit,
)
