package dev.ratelimit.jvm.shared

/**
 * A change of several words at once, which is seen whole or not at all, whatever becomes of the process that makes it. After Harris, Fraser
 * and Pratt, "A practical multi-word compare-and-swap operation", DISC 2002, with less helping: whoever finds a word marked waits
 * a moment, then calls the change off, or completes it if it was decided.
 *
 * The record says what is marked, what was there before and what comes after. A word is marked by a compare-and-set, the decision is one
 * on the record's status, and every mark is replaced by one; marks are never used twice. So it does not matter who replaces them, how
 * often it is tried, or how long ago the one who tries looked.
 *
 * A record belongs to one thread at a time. After [begin] it must [end].
 */
internal class Transaction(
    private val words: Words,
    private val record: Int,
) {
    private val status = Layout.RECORDS + record * Layout.RECORD_BYTES
    private var sequence = 0L
    private var mark = 0L
    private var count = 0

    /** What stands in the record, which this thread does not read back: it may have been damaged meanwhile. */
    private val places = IntArray(Record.ENTRIES)
    private val befores = LongArray(Record.ENTRIES)
    private val afters = LongArray(Record.ENTRIES)

    fun begin() {
        sequence = (Record.sequenceOf(words.get(status)) + 1) and State.SEQUENCE
        mark = State.mark(record, sequence)
        count = 0
        words.set(status + Record.COUNT, 0)
        words.set(status, Record.status(sequence, Record.OPEN))
    }

    /** Marks the word at [at], which becomes [after]; false if it is not [before] any more. */
    fun mark(
        at: Int,
        before: Long,
        after: Long = before,
    ): Boolean = note(at.toLong(), before, after) && words.swap(at, before, mark).also { if (!it) forget() }

    /** As [mark], for a free slot that the others leave alone until this process gives it back, or dies. */
    fun claim(at: Int): Boolean =
        note(at.toLong() or Record.CLAIMED, State.FREE, State.FREE) && words.swap(at, State.FREE, mark).also { if (!it) forget() }

    private fun note(
        target: Long,
        before: Long,
        after: Long,
    ): Boolean {
        check(count < Record.ENTRIES) { "a record has room for ${Record.ENTRIES} words" }
        val entry = status + Record.FIRST + count * Record.ENTRY
        places[count] = Record.placeOf(target)
        befores[count] = before
        afters[count] = after
        words.set(entry + Record.TARGET, target)
        words.set(entry + Record.BEFORE, before)
        words.set(entry + Record.AFTER, after)
        words.set(status + Record.COUNT, (++count).toLong())
        return true
    }

    private fun forget() = words.set(status + Record.COUNT, (--count).toLong())

    /** What the word at [at], marked by this transaction, is to become. */
    fun become(
        at: Int,
        after: Long,
    ) {
        for (i in 0 until count) {
            if (places[i] != at) continue
            afters[i] = after
            words.set(status + Record.FIRST + i * Record.ENTRY + Record.AFTER, after)
        }
    }

    /** Whether the word at [at] still has the mark of this transaction. */
    fun holds(at: Int): Boolean = words.get(at) == mark

    /** Decides that all words become what they are to; false if another has called it off. */
    fun commit(): Boolean = words.swap(status, Record.status(sequence, Record.OPEN), Record.status(sequence, Record.DONE))

    /** Takes the marks away: the words have become, or are as before. */
    fun end() {
        val done = !words.swap(status, Record.status(sequence, Record.OPEN), Record.status(sequence, Record.OFF)) &&
            words.get(status) == Record.status(sequence, Record.DONE)
        for (i in 0 until count) words.swap(places[i], mark, if (done) afters[i] else befores[i])
    }
}

/** How a record is laid out: status, count of entries, and entries of target, before and after. */
internal object Record {
    const val COUNT = 8
    const val FIRST = 64
    const val ENTRY = 24
    const val TARGET = 0
    const val BEFORE = 8
    const val AFTER = 16
    const val ENTRIES = (Layout.RECORD_BYTES - FIRST) / ENTRY

    /** In a target: nobody else takes this mark away before the change is decided. */
    const val CLAIMED = 1L shl 40

    const val OPEN = 1L
    const val DONE = 2L
    const val OFF = 3L
    private const val STATE_BITS = 2

    fun status(
        sequence: Long,
        state: Long,
    ): Long = (sequence shl STATE_BITS) or state

    fun sequenceOf(status: Long): Long = (status ushr STATE_BITS) and State.SEQUENCE

    fun stateOf(status: Long): Long = status and OFF

    fun placeOf(target: Long): Int = (target and CLAIMED.inv()).toInt()
}
