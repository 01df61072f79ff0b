package dev.ratelimit.ktor.client.download

/** `bytes 100-199/200`, `bytes 100-199/…` of unknown size, or `bytes …/200`, which has no range. */
internal class ContentRange private constructor(
    val first: Long?,
    val last: Long?,
    val size: Long?,
) {
    companion object {
        private val RANGE = Regex("bytes\\s+(?:(\\d{1,18})-(\\d{1,18})|\\*)/(\\d{1,18}|\\*)", RegexOption.IGNORE_CASE)

        /** Null if [text] is none, or contradicts itself. */
        fun parse(text: String?): ContentRange? {
            val groups = RANGE.matchEntire(text?.trim().orEmpty())?.groupValues ?: return null
            val (first, last, size) = groups.drop(1).map(String::toLongOrNull)
            if (first == null || last == null) return size?.let { ContentRange(null, null, it) }
            return ContentRange(first, last, size).takeIf { first <= last && (size == null || last < size) }
        }
    }
}
