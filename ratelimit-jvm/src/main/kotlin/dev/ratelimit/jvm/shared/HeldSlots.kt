package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.store.Bucket

/** Several buckets changed in one transaction, or looked at in one moment. */
internal class HeldSlots(
    private val words: Words,
    private val table: Table,
    private val marks: Marks,
    private val states: States,
    private val placement: Placement,
    private val transactions: Transactions,
) {
    /** What a change works on: it puts new states in the place of these. */
    class Held(
        val asks: List<Ask>,
        val states: Array<LongArray>,
    )

    /** Applies [decide] to the buckets of [asks], which name each bucket once, making those that do not exist. */
    fun <T : Any> change(
        asks: List<Ask>,
        now: Long,
        decide: (Held) -> T,
    ): T {
        require(asks.size <= MOST_SLOTS) {
            "${asks.size} buckets at once are too many for a shared file; charge at most $MOST_SLOTS in one list"
        }
        var spins = 0
        while (true) {
            val places = asks.map { placement.placeFor(it.tag, it.rule.limit, it.meter, now) }
            places.forEach { table.touch(it.at) }
            attempt(asks, places, now, decide)?.let { return it }
            words.retry(places[0].at)
            if (places.none(::awaitMark)) spins = Bucket.pause(spins)
        }
    }

    private fun awaitMark(place: Place): Boolean {
        val word = words.get(place.at + Layout.STATE)
        return State.isMark(word) && marks.await(place.at + Layout.STATE, word)
    }

    /** Null if something came between. */
    private fun <T : Any> attempt(
        asks: List<Ask>,
        places: List<Place>,
        now: Long,
        decide: (Held) -> T,
    ): T? =
        transactions.run { change ->
            val before = LongArray(places.size)
            for (i in places.indices) before[i] = mark(change, places[i]) ?: return@run null
            val found = places.indices.map { states.stateOf(asks[it].meter, before[it], now) }
            if (places.any { !change.holds(it.at + Layout.STATE) }) return@run null
            val held = Held(asks, Array(places.size) { found[it]?.copyOf() ?: asks[it].meter.fresh(now) })
            val answer = decide(held)
            val changed = places.indices.filter { !held.states[it].contentEquals(found[it]) }
            if (changed.isEmpty()) return@run answer
            val after = changed.associateWith { states.wordOf(asks[it].meter, held.states[it], before[it]) }
            after.forEach { (i, word) -> change.become(places[i].at + Layout.STATE, word) }
            val done = change.commit()
            for ((i, word) in after) states.discard(asks[i].meter, if (done) before[i] else word)
            answer.takeIf { done }
        }

    private fun mark(
        change: Transaction,
        place: Place,
    ): Long? {
        val at = place.at + Layout.STATE
        while (true) {
            val word = words.get(at)
            if (!State.isState(word)) return null
            if (change.mark(at, word)) return word.takeIf { words.get(place.at + Layout.META) == place.meta }
            words.retry(at)
        }
    }

    /** The states of the buckets at one moment, as if the limits of [asks] ruled them; of those that do not exist, fresh ones. */
    fun look(
        asks: List<Ask>,
        now: Long,
    ): Array<LongArray> {
        var spins = 0
        while (true) {
            val places = asks.map { table.find(it.tag) }
            val seen = places.map { if (it == null) State.FREE else words.get(it.at + Layout.STATE) }
            val found = asks.indices.map { i -> places[i]?.let { seen(asks[i], it, seen[i], now) } }
            if (asks.indices.all { isUnchanged(places[it], seen[it]) }) {
                return Array(asks.size) { found[it] ?: asks[it].meter.fresh(maxOf(now, words.droppedAt())) }
            }
            words.retry(Layout.STRIPES)
            places.forEachIndexed { i, place -> if (place != null && State.isMark(seen[i])) marks.await(place.at + Layout.STATE, seen[i]) }
            spins = Bucket.pause(spins)
        }
    }

    private fun seen(
        ask: Ask,
        place: Place,
        word: Long,
        now: Long,
    ): LongArray? {
        if (!State.isState(word)) return null
        val own = states.meterOf(place.limit) ?: return null
        val state = states.stateOf(own, word, now) ?: return null
        return if (place.limit == ask.rule.limit) state else runCatching { ask.meter.carry(own, state, now) }.getOrNull()
    }

    private fun isUnchanged(
        place: Place?,
        word: Long,
    ) = place == null ||
        (!State.isMark(word) && words.get(place.at + Layout.STATE) == word && words.get(place.at + Layout.META) == place.meta)

    /** Frees the slots of [tags]. */
    fun forget(
        tags: List<KeyTag>,
        now: Long,
    ) {
        require(tags.size <= MOST_SLOTS) {
            "${tags.size} buckets at once are too many for a shared file; reset at most $MOST_SLOTS in one list"
        }
        var spins = 0
        while (true) {
            val places = tags.mapNotNull(table::find)
            words.noteDrop(now)
            if (free(places)) return
            if (places.none(::awaitMark)) spins = Bucket.pause(spins)
        }
    }

    private fun free(places: List<Place>): Boolean =
        transactions.run { change ->
            val before = places.map { mark(change, it) ?: return@run false }
            places.forEach { change.become(it.at + Layout.STATE, State.FREE) }
            if (!change.commit()) return@run false
            places.indices.forEach { states.discard(states.meterOf(places[it].limit), before[it]) }
            true
        }

    private companion object {
        const val MOST_SLOTS = 60
    }
}
