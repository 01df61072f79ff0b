package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.rules.Keys

/** Whose call was refused, and by what. */
internal class DeniedId(
    val rule: String,
    val scope: String,
    val key: String,
) {
    /** One text for the three; the lengths before them keep apart what reads alike when it is joined. */
    fun text(): String = "${rule.length}.${scope.length}.$rule$scope$key"

    companion object {
        private val LENGTHS = Regex("^(\\d{1,9})\\.(\\d{1,9})\\.")

        /** Null if that is none: others have written it. */
        fun parse(text: String): DeniedId? {
            val lengths = LENGTHS.find(text) ?: return null
            val joined = text.substring(lengths.range.last + 1)
            val ofRule = lengths.groupValues[1].toInt()
            val ofScope = lengths.groupValues[2].toInt()
            if (ofRule + ofScope > joined.length) return null
            return DeniedId(joined.take(ofRule), joined.substring(ofRule, ofRule + ofScope), joined.substring(ofRule + ofScope))
        }
    }
}

/**
 * A text as it is remembered. A long one is cut, and its length and hash stand for the rest: whoever sends keys of a megabyte does not fill
 * the memory with them.
 */
internal fun remembered(text: String): String {
    if (text.length <= MOST_CHARACTERS) return text
    val end = if (text[KEPT_CHARACTERS - 1].isHighSurrogate()) KEPT_CHARACTERS - 1 else KEPT_CHARACTERS
    return "${text.take(end)}…${text.length}#${Integer.toHexString(text.hashCode())}"
}

private const val MOST_CHARACTERS = Keys.LONGEST
private const val KEPT_CHARACTERS = 100
