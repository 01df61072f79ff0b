package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.algorithm.Meter

/**
 * What live processes declare of a limiter, in a slot of its own as if it were a bucket: for each member its name (two words), until when
 * it holds, how many limits, and each limit in four words. It is as good as none once all is over.
 */
internal class Declarations(
    anyLimit: RateLimit,
) : Meter(anyLimit) {
    override fun fresh(now: Long) = longArrayOf(0)

    override fun resetAfter(
        state: LongArray,
        now: Long,
    ) = members(state).maxOfOrNull { it.until - now }?.coerceAtLeast(0) ?: 0

    /** The declarations of others that still hold, and this one. */
    fun with(
        state: LongArray,
        now: Long,
        own: Member,
    ): List<Member> = members(state).filter { it.until > now && !it.isSameAs(own) } + own

    /** One limiter's declaration, until an instant. */
    class Member(
        val name: KeyTag,
        val until: Long,
        val limits: List<StoredLimit>,
    ) {
        fun isSameAs(other: Member) = name.first == other.name.first && name.second == other.name.second
    }

    fun members(state: LongArray): List<Member> {
        val members = ArrayList<Member>()
        var at = 1
        while (at + HEAD <= state.size && members.size < state[0]) {
            val count = state[at + COUNT]
            if (count !in 0..(state.size - at - HEAD) / StoredLimit.NUMBERS) break
            val end = at + HEAD + count.toInt() * StoredLimit.NUMBERS
            val limits = (0 until count.toInt()).map { limitAt(state, at + HEAD + it * StoredLimit.NUMBERS) }
            members += Member(KeyTag(state[at], state[at + 1]), state[at + UNTIL], limits)
            at = end
        }
        return members
    }

    private fun limitAt(
        state: LongArray,
        at: Int,
    ) = StoredLimit(state[at].toInt(), state[at + 1], state[at + 2], state[at + 3])

    fun stateOf(members: List<Member>): LongArray {
        val state = ArrayList<Long>().apply { add(members.size.toLong()) }
        for (member in members) {
            state += listOf(member.name.first, member.name.second, member.until, member.limits.size.toLong())
            for (limit in member.limits) state += listOf(limit.algorithm.toLong(), limit.permits, limit.period, limit.burst)
        }
        return state.toLongArray()
    }

    override fun isSound(
        state: LongArray,
        now: Long,
    ) = state.isNotEmpty()

    override fun admits(
        state: LongArray,
        now: Long,
        permits: Long,
    ) = none()

    override fun add(
        state: LongArray,
        now: Long,
        permits: Long,
    ) = none()

    override fun giveBack(
        state: LongArray,
        now: Long,
        permits: Long,
    ) = none()

    override fun remaining(
        state: LongArray,
        now: Long,
    ) = none()

    override fun waitFor(
        state: LongArray,
        now: Long,
        permits: Long,
        ahead: Long,
    ) = none()

    private fun none(): Nothing = error("declarations are not a bucket")

    private companion object {
        const val UNTIL = 2
        const val COUNT = 3
        const val HEAD = 4
    }
}
