package dev.ratelimit.jvm.shared

/** Deals with the marks of transactions that others have begun: waits, and ends those that do not end by themselves. */
internal class Marks(
    private val words: Words,
    private val size: Int,
) {
    /**
     * Waits until the word at [at] is not [mark] any more; after a moment, sees to it. False if it stays, because it is of a slot
     * that is being filled by a process that stands still.
     */
    fun await(
        at: Int,
        mark: Long,
    ): Boolean {
        var spins = 0
        var deadline = 0L
        while (words.get(at) == mark) {
            if (++spins < SPINS) {
                Thread.onSpinWait()
                continue
            }
            val now = System.nanoTime()
            if (deadline == 0L) deadline = now + PATIENCE_NANOS
            if (now - deadline < 0) Thread.yield() else return settle(at, mark)
        }
        return true
    }

    /** Whether the slot whose state is at [at] is only being filled, so that nothing is there yet. */
    fun isNascent(
        at: Int,
        mark: Long,
    ): Boolean {
        val status = words.get(statusOf(mark) ?: return false)
        if (Record.sequenceOf(status) != State.sequenceOf(mark) || Record.stateOf(status) == Record.DONE) return false
        val entry = entryOf(at, mark) ?: return false
        return words.get(entry + Record.TARGET) and Record.CLAIMED != 0L && words.get(statusOf(mark) ?: return false) == status
    }

    /** Ends the transaction that has marked the word at [at], for this word; false if only its own process may. */
    private fun settle(
        at: Int,
        mark: Long,
    ): Boolean {
        while (words.get(at) == mark) {
            val place = statusOf(mark)
            val status = if (place == null) 0 else words.get(place)
            val isKnown = place != null && Record.sequenceOf(status) == State.sequenceOf(mark)
            when {
                !isKnown -> healIfStill(at, mark)
                Record.stateOf(status) == Record.OPEN -> words.swap(place, status, Record.status(Record.sequenceOf(status), Record.OFF))
                !replace(at, mark, place, status) -> return false
            }
            words.retry(at)
        }
        return true
    }

    /** Puts in place of the mark what the decided transaction says; false if that is its own process's. */
    private fun replace(
        at: Int,
        mark: Long,
        place: Int,
        status: Long,
    ): Boolean {
        val entry = entryOf(at, mark)
        val isDone = Record.stateOf(status) == Record.DONE
        if (entry != null && !isDone && words.get(entry + Record.TARGET) and Record.CLAIMED != 0L) return false
        val value = if (entry == null) State.FREE else words.get(entry + if (isDone) Record.AFTER else Record.BEFORE)
        // A record that puts the mark in its own place is damaged.
        if (words.get(place) == status) words.swap(at, mark, if (value == mark) State.FREE else value)
        return true
    }

    fun statusOfRecord(record: Int): Long = words.get(Layout.RECORDS + record * Layout.RECORD_BYTES)

    /** Ends what a process that is dead has left in [record] with that [status]; not what another has begun in it since. */
    fun settleRecord(
        record: Int,
        status: Long,
    ) {
        val place = Layout.RECORDS + record * Layout.RECORD_BYTES
        val sequence = Record.sequenceOf(status)
        val off = Record.status(sequence, Record.OFF)
        // Another may have called it off meanwhile, for one word only; the others are still to be given back.
        if (Record.stateOf(status) == Record.OPEN && !words.swap(place, status, off) && words.get(place) != off) return
        val done = Record.stateOf(status) == Record.DONE
        for (i in 0 until countOf(place)) {
            val entry = place + Record.FIRST + i * Record.ENTRY
            val at = Record.placeOf(words.get(entry + Record.TARGET))
            val value = words.get(entry + if (done) Record.AFTER else Record.BEFORE)
            if (isPlace(at)) words.swap(at, State.mark(record, sequence), value)
        }
    }

    /** A mark that nobody has made: the file was damaged. The place is as good as new. */
    private fun healIfStill(
        at: Int,
        mark: Long,
    ) {
        if (words.get(at) == mark) words.swap(at, mark, State.FREE)
    }

    private fun entryOf(
        at: Int,
        mark: Long,
    ): Int? {
        val place = statusOf(mark) ?: return null
        for (i in 0 until countOf(place)) {
            val entry = place + Record.FIRST + i * Record.ENTRY
            if (Record.placeOf(words.get(entry + Record.TARGET)) == at) return entry
        }
        return null
    }

    private fun countOf(place: Int): Int = words.get(place + Record.COUNT).coerceIn(0, Record.ENTRIES.toLong()).toInt()

    private fun isPlace(at: Int) = at >= Layout.STRIPES && at <= size - Layout.WORD && at % Layout.WORD == 0

    private fun statusOf(mark: Long): Int? {
        val record = State.recordOf(mark)
        if (record !in 0 until Layout.MEMBER_COUNT * Layout.RECORDS_PER_MEMBER) return null
        return Layout.RECORDS + record.toInt() * Layout.RECORD_BYTES
    }

    private companion object {
        const val SPINS = 200

        /** Longer than a change takes, shorter than anybody notices. */
        const val PATIENCE_NANOS = 300_000L
    }
}
