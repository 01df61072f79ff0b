package dev.ratelimit.jvm.shared

/**
 * The state of a slot, as its word in the file. 0 is a free slot, so that a new file of zeros is an empty table; the words after it, taken
 * as unsigned numbers, are marks of transactions; all others are states, with the sign bit turned.
 */
internal object State {
    const val FREE = 0L

    /** The lowest values, of the marks, are no states of a bucket. One that would be is later by as much, at most once in ten years. */
    private const val MARKS = 1L shl 44
    private const val LEAST = Long.MIN_VALUE + MARKS
    private const val SEQUENCE_BITS = 32

    /** Above all marks. */
    fun isState(word: Long): Boolean = decoded(word) >= LEAST

    fun isMark(word: Long): Boolean = word != FREE && !isState(word)

    fun encoded(state: Long): Long = (if (state < LEAST) LEAST else state) xor Long.MIN_VALUE

    fun decoded(word: Long): Long = word xor Long.MIN_VALUE

    fun mark(
        record: Int,
        sequence: Long,
    ): Long = 1 + ((record.toLong() shl SEQUENCE_BITS) or (sequence and SEQUENCE))

    fun recordOf(mark: Long): Long = (mark - 1) ushr SEQUENCE_BITS

    fun sequenceOf(mark: Long): Long = (mark - 1) and SEQUENCE

    const val SEQUENCE = (1L shl SEQUENCE_BITS) - 1
}
