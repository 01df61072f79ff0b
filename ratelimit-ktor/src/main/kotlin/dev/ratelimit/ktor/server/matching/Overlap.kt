package dev.ratelimit.ktor.server.matching

/** Finds out whether two patterns are about one call. */
internal object Overlap {
    /** The shortest path that both match, in words; null if there is none. */
    fun of(
        one: PathPattern,
        other: PathPattern,
    ): String? {
        if (one.method != null && other.method != null && one.method != other.method) return null
        return shortest(Rest(one), Rest(other))?.joinToString("/", "/")
    }

    /** What is left of a pattern: the parts from [from] on, and before them anything if it may begin anywhere. */
    private class Rest(
        val pattern: PathPattern,
        val from: Int = 0,
        val isFloating: Boolean = pattern.isFloating,
    ) {
        val next: Segment? get() = pattern.segments.getOrNull(from)

        /** Nothing more has to come. */
        val isDone: Boolean get() = next == null

        fun afterNext(): Rest = Rest(pattern, from + 1, false)

        /** What is left when a part was matched; each with what it has matched, null for any part. */
        fun steps(): List<Pair<Segment, Rest>> {
            val next = next
            return listOfNotNull(
                if (next != null) next to afterNext() else null,
                if (isFloating || (next == null && pattern.isOpen)) Segment.Any to this else null,
            )
        }
    }

    /** Breadth first; a pair of rests comes once. */
    private fun shortest(
        one: Rest,
        other: Rest,
    ): List<String>? {
        val seen = HashSet<List<Any>>()
        val open = ArrayDeque(listOf(Triple(one, other, emptyList<String>())))
        while (open.isNotEmpty()) {
            val (a, b, path) = open.removeFirst()
            if (a.isDone && b.isDone) return path
            if (!seen.add(listOf(a.from, a.isFloating, b.from, b.isFloating))) continue
            for ((oneStep, oneRest) in a.steps()) {
                for ((otherStep, otherRest) in b.steps()) {
                    common(oneStep, otherStep)?.let { open += Triple(oneRest, otherRest, path + it) }
                }
            }
        }
        return null
    }

    /** A part that both match. */
    private fun common(
        one: Segment,
        other: Segment,
    ): String? =
        when {
            one is Segment.Constant -> one.text.takeIf { other.matches(it) }
            other is Segment.Constant -> other.text.takeIf { one.matches(it) }
            one is Segment.Affix && other is Segment.Affix -> common(one, other)
            one is Segment.Affix -> "${one.prefix}x${one.suffix}"
            other is Segment.Affix -> "${other.prefix}x${other.suffix}"
            else -> "x"
        }

    private fun common(
        one: Segment.Affix,
        other: Segment.Affix,
    ): String? {
        val prefix = maxOf(one.prefix, other.prefix, compareBy { it.length })
        val suffix = maxOf(one.suffix, other.suffix, compareBy { it.length })
        return "${prefix}x$suffix".takeIf { one.matches(it) && other.matches(it) }
    }

    private fun Segment.matches(text: String): Boolean =
        when (this) {
            is Segment.Constant -> this.text == text
            is Segment.Affix -> matches(text)
            Segment.Any -> true
        }
}
