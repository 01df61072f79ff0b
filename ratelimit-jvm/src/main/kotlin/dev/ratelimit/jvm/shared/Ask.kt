package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.algorithm.Meter
import dev.ratelimit.jvm.store.Asked
import dev.ratelimit.jvm.store.KeyText

/** One limit of one limiter, in the terms of a shared file. */
internal class SharedRule(
    @JvmField val meter: Meter,
    @JvmField val limit: StoredLimit,
    private val names: SipHash128,
) {
    /** What stands for [key] under this rule; the limit is no part of it. */
    fun tagOf(key: Any?): KeyTag = tagOf(names, key)

    companion object {
        fun tagOf(
            names: SipHash128,
            key: Any?,
        ): KeyTag = names.copy().finish(bytesOf(key))

        /** The beginning of all tags of one limit: each part with its length, so that no two limiters begin alike. */
        fun names(
            seed0: Long,
            seed1: Long,
            limiter: String,
            slot: Int,
        ): SipHash128 {
            val hash = SipHash128(seed0, seed1)
            hash.add((limiter.length.toLong() shl Int.SIZE_BITS) or slot.toLong())
            for (part in limiter.chunked(CHARS_PER_WORD)) {
                hash.add(
                    part.fold(0L) { word, char ->
                        (word shl Char.SIZE_BITS) or
                            char.code.toLong()
                    },
                )
            }
            return hash
        }

        /** A letter for the kind of key, then all its characters as they are: no encoding that would make two texts one. */
        private fun bytesOf(key: Any?): ByteArray {
            if (key == null) return NO_KEY
            val known = KeyText.of(key)
            val prefix = if (known.type == null) "s" else "t${known.type}\u0000"
            val length = prefix.length + known.text.length
            val bytes = ByteArray(2 * length)
            for (i in 0 until length) {
                val char = (if (i < prefix.length) prefix[i] else known.text[i - prefix.length]).code
                bytes[2 * i] = char.toByte()
                bytes[2 * i + 1] = (char ushr Byte.SIZE_BITS).toByte()
            }
            return bytes
        }

        private val NO_KEY = ByteArray(0)
        private const val CHARS_PER_WORD = 4
    }
}

/** Permits asked of the bucket that [tag] stands for, or a correction of it by so many. */
internal class Ask(
    @JvmField val rule: SharedRule,
    @JvmField val tag: KeyTag,
    override val permits: Long,
) : Asked {
    override val meter: Meter get() = rule.meter

    fun isSameBucketAs(other: Ask) = tag.first == other.tag.first && tag.second == other.tag.second
}

/** The asks with those of the same bucket added up. */
internal fun merged(asks: List<Ask>): List<Ask> {
    if (asks.size == 1) return asks
    val distinct = ArrayList<Ask>(asks.size)
    for (ask in asks) {
        val same = distinct.indexOfFirst { it.isSameBucketAs(ask) }
        if (same < 0) {
            distinct += ask
        } else {
            val sum = distinct[same].permits + ask.permits
            ask.meter.limit.checkPermits(if (sum < 0) Long.MAX_VALUE else sum)
            distinct[same] = Ask(ask.rule, ask.tag, sum)
        }
    }
    return distinct
}

/** The first ask of each bucket. */
internal fun distinct(asks: List<Ask>): List<Ask> =
    asks.filterIndexed { i, ask -> (0 until i).none { asks[it].isSameBucketAs(ask) } }
