package dev.ratelimit.ktor.server.matching

/**
 * The most specific pattern first: the one that names more parts of the path, then the one that says more of them, then the one that
 * says it earlier in the path. Two patterns that this order does not tell apart have the same shape, or no path in common.
 */
internal object Specificity : Comparator<PathPattern> {
    private val order: Comparator<PathPattern> =
        compareByDescending<PathPattern> { pattern -> pattern.segments.count { it is Segment.Constant } }
            .thenByDescending { pattern -> pattern.segments.count { it is Segment.Affix } }
            .thenByDescending { it.segments.size }
            .thenBy { it.isOpen }
            .thenBy { it.isFloating }
            .thenBy { it.method == null }
            .thenComparator { a, b -> bySegments(a, b) }

    override fun compare(
        a: PathPattern,
        b: PathPattern,
    ): Int = order.compare(a, b)

    private fun bySegments(
        a: PathPattern,
        b: PathPattern,
    ): Int {
        for ((one, other) in a.segments.zip(b.segments)) {
            val kinds = kind(one).compareTo(kind(other))
            if (kinds != 0) return kinds
            if (one is Segment.Affix && other is Segment.Affix) {
                val lengths = compareValuesBy(other, one, { it.prefix.length }, { it.suffix.length })
                if (lengths != 0) return lengths
            }
        }
        return 0
    }

    private fun kind(segment: Segment) =
        when (segment) {
            is Segment.Constant -> 0
            is Segment.Affix -> 1
            Segment.Any -> 2
        }
}
