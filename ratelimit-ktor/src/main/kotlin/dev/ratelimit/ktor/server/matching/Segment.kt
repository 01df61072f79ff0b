package dev.ratelimit.ktor.server.matching

/** What a pattern says of one part of a path. */
internal sealed interface Segment {
    fun lowercase(): Segment

    data class Constant(
        val text: String,
    ) : Segment {
        override fun lowercase() = Constant(text.lowercase())
    }

    data class Affix(
        val prefix: String,
        val suffix: String,
    ) : Segment {
        val length: Int get() = prefix.length + suffix.length

        fun matches(text: String) = text.length >= length && text.startsWith(prefix) && text.endsWith(suffix)

        override fun lowercase() = Affix(prefix.lowercase(), suffix.lowercase())
    }

    data object Any : Segment {
        override fun lowercase() = this
    }
}
