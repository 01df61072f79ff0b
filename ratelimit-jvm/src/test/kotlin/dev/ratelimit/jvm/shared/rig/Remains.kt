package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.shared.Layout
import dev.ratelimit.jvm.shared.State

/** What stands in a file while nobody changes it. */
internal class Remains(
    store: SharedMemoryStore,
) {
    private val words = store.buckets().words
    private val groups = Layout.groupsFor(store.maxKeys)

    /** The processes that have it open. */
    val members: Int get() = (0 until Layout.MEMBER_COUNT).count { words.get(Layout.MEMBERS + it * Layout.MEMBER_BYTES) != 0L }

    /** The words that a transaction has marked and not given back. */
    val marks: Int get() = stripes.count { words.get(it) != State.FREE } + slots.count { State.isMark(words.get(it + Layout.STATE)) }

    private val stripes get() = (0 until Layout.STRIPE_COUNT).asSequence().map { Layout.STRIPES + it * Layout.WORD }

    private val slots
        get() = (0 until groups).asSequence().flatMap { group -> (0 until Layout.SLOTS_PER_GROUP).map { Layout.slotAt(group, it) } }
}
