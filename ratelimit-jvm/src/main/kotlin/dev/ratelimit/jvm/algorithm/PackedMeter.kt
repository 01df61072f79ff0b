package dev.ratelimit.jvm.algorithm

/** [window], with its state in one word where its numbers fit: an index of the window and [counts] counts. */
internal fun packedIfFits(
    window: WindowMeter,
    counts: Int,
): Meter {
    val indexBits = Long.SIZE_BITS - (Long.MAX_VALUE / window.period).countLeadingZeroBits() + 1
    val countBits = (Long.SIZE_BITS - indexBits) / counts
    val fits = countBits >= 2 && window.limit.permits() <= (1L shl (countBits - 1)) - 1
    return if (fits) PackedMeter(window, counts, countBits) else window
}

/**
 * A window counter whose state is one word: the index in the high bits, the counts below it. A count has room for the limit's
 * permits and as much debt again. Debt beyond that is taken for endless, which is toward less: it ends when its window counts no more.
 */
internal class PackedMeter(
    private val window: WindowMeter,
    private val counts: Int,
    private val countBits: Int,
) : WordMeter(window.limit) {
    private val mask = (1L shl countBits) - 1

    override fun freshWord(now: Long) = pack(window.fresh(now))

    override fun take(
        word: Long,
        now: Long,
        permits: Long,
    ): Long {
        val state = unpack(word)
        return if (window.admits(state, now, permits)) pack(window.add(state, now, permits)) else REFUSED
    }

    override fun addTo(
        word: Long,
        now: Long,
        permits: Long,
    ) = pack(window.add(unpack(word), now, permits))

    override fun giveBackTo(
        word: Long,
        now: Long,
        permits: Long,
    ) = pack(unpack(word).also { window.giveBack(it, now, permits) })

    override fun remainingOf(
        word: Long,
        now: Long,
    ) = window.remaining(unpack(word), now)

    override fun waitOf(
        word: Long,
        now: Long,
        permits: Long,
        ahead: Long,
    ) = window.waitFor(unpack(word), now, permits, ahead)

    override fun resetOf(
        word: Long,
        now: Long,
    ) = window.resetAfter(unpack(word), now)

    override fun carry(
        from: Meter,
        state: LongArray,
        now: Long,
    ) = longArrayOf(pack(window.carry(from, state, now)))

    override fun isSoundWord(
        word: Long,
        now: Long,
    ) = window.isSound(unpack(word), now)

    override val plain: Meter get() = window

    override fun unpacked(state: LongArray) = unpack(state[0])

    private fun unpack(word: Long): LongArray {
        val state = LongArray(1 + counts)
        var rest = word
        for (i in counts downTo 1) {
            state[i] = (rest and mask).let { if (it == mask) ENDLESS else it }
            rest = rest shr countBits
        }
        state[0] = rest
        return state
    }

    private fun pack(state: LongArray): Long {
        var word = state[0]
        for (i in 1..counts) word = (word shl countBits) or minOf(state[i], mask)
        return legal(word)
    }

    private companion object {
        const val ENDLESS = Long.MAX_VALUE / 2
    }
}
