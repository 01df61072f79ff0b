package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.jvm.shared.Layout
import dev.ratelimit.jvm.shared.Record
import dev.ratelimit.jvm.shared.State

/** What stands in a file while nobody changes it. */
internal class Remains(
    store: SharedMemoryStore,
) {
    private val words = store.buckets().words
    private val marking = store.buckets().marks
    private val groups = Layout.groupsFor(store.maxKeys)

    /** The processes that have it open, by the numbers of their entries. */
    val members: List<Int> get() = (0 until Layout.MEMBER_COUNT).filter { words.get(entryOf(it)) != 0L }

    /** The words that a transaction has marked and not given back. */
    val marks: List<Int> get() = stripes.filter { words.get(it) != State.FREE } + states.filter { State.isMark(words.get(it)) }

    private val stripes get() = List(Layout.STRIPE_COUNT) { Layout.STRIPES + it * Layout.WORD }

    private val states
        get() = (0 until groups * Layout.SLOTS_PER_GROUP).asSequence().map { Layout.slotAt(it / SLOTS, it % SLOTS) + Layout.STATE }

    /** Waits until the dead have been buried; only this process is left then, and nothing is marked. */
    fun awaitNobody() {
        val isAlone = runCatching { awaitThat("nothing is left of the dead") { members.size == 1 && marks.isEmpty() } }
        isAlone.onFailure { throw AssertionError("${it.message}; $this", it) }
    }

    override fun toString(): String {
        val left = marks
        return "members ${members.map(::member)}; ${left.size} marks ${left.take(MOST_TOLD).map(::mark)}"
    }

    private fun member(number: Int) =
        (0 until WORDS_TOLD).joinToString(" ", "$number: ") { java.lang.Long.toHexString(words.get(entryOf(number) + it * Layout.WORD)) }

    private fun mark(at: Int): String {
        val word = words.get(at)
        val record = State.recordOf(word)
        val place = if (at < Layout.MEMBERS) "stripe" else "slot"
        if (record !in 0 until Layout.MEMBER_COUNT * Layout.RECORDS_PER_MEMBER) return "$place at $at is $word, which nobody makes"
        val status = marking.statusOfRecord(record.toInt())
        return "$place at $at by member ${record / Layout.RECORDS_PER_MEMBER}, record $record at its change ${State.sequenceOf(word)}; " +
            "it is at ${Record.sequenceOf(status)}, state ${Record.stateOf(status)}"
    }

    private fun entryOf(number: Int) = Layout.MEMBERS + number * Layout.MEMBER_BYTES

    private companion object {
        const val SLOTS = Layout.SLOTS_PER_GROUP
        const val WORDS_TOLD = 6
        const val MOST_TOLD = 10
    }
}
