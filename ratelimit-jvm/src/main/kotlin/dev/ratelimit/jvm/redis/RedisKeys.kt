package dev.ratelimit.jvm.redis

import dev.ratelimit.jvm.store.KeyText
import dev.ratelimit.spi.BucketKey
import java.security.MessageDigest

/**
 * The names of buckets in Redis: `ratelimit:{limiter|key}:slot`. The braces are Redis Cluster's hash tag, so all limits of one key are
 * on one node. What users write is escaped where it would read as part of that, so no two buckets share a name.
 */
internal class RedisKeys(
    private val prefix: String,
) {
    fun nameOf(bucket: BucketKey): String {
        val key = bucket.key
        val tag = if (key == null) escaped(bucket.limiter) else escaped(bucket.limiter) + "|" + textOf(key)
        return "$prefix{${tagged(tag)}}:${bucket.slot}"
    }

    /** Where strict mode keeps since when nothing was lost, in the slot of [tag]. */
    fun markerOf(tag: String): String = "$prefix{$tag}:generation"

    /** Which limits live processes declare for a limiter. */
    fun declarationsOf(limiter: String): String = "$prefix{${tagged(escaped(limiter))}}:declared"

    /** The numbers of a group that all processes add to. */
    fun tallyOf(group: String): String = "$prefix{${tagged(escaped(group))}}:tally"

    private fun textOf(key: Any): String = KeyText.of(key).let {
        if (it.type ==
            null
        ) {
            escaped(it.text)
        } else {
            "${escaped(it.type)}#${escaped(it.text)}"
        }
    }

    private fun escaped(text: String): String {
        if (text.all(::isPlain)) return text
        return buildString {
            for (char in text) {
                if (isPlain(char)) append(char) else append('%').append(char.code.toString(HEX).padStart(HEX_DIGITS, '0'))
            }
        }
    }

    /**
     * Long names cost memory in Redis and time on the wire; their hash stands for them, behind a mark that no escaped name begins with.
     * An empty hash tag would be none.
     */
    private fun tagged(tag: String): String {
        if (tag.length <= MOST_CHARACTERS) return tag.ifEmpty { "%" }
        val hash = MessageDigest.getInstance("SHA-256").digest(tag.toByteArray())
        return "#" + hash.joinToString("") { "%02x".format(it) }
    }

    companion object {
        private val PLAIN = BooleanArray(ASCII) { it.toChar() !in RESERVED && !it.toChar().isISOControl() }

        private fun isPlain(char: Char) = if (char.code < ASCII) PLAIN[char.code] else !char.isISOControl() && !char.isSurrogate()

        /** For whoever takes the prefix from a user. */
        fun checked(prefix: String): String {
            require(prefix.none { it == '{' || it == '}' }) {
                "keyPrefix '$prefix' has a brace, which Redis Cluster reads as a hash tag; leave it out"
            }
            return prefix
        }

        private const val RESERVED = "%|{}#"
        private const val ASCII = 128
        private const val HEX = 16
        private const val HEX_DIGITS = 4
        private const val MOST_CHARACTERS = 200
    }
}
