package dev.ratelimit.ktor.server.matching

/**
 * The most specific pattern first: the one that names more parts of the path, then the one that says more of them, then the one that
 * says it earlier in the path. Two patterns that this order does not tell apart may still be about one call; see [Overlap].
 */
internal object Specificity : Comparator<PathPattern> {
    /** What is compared, the first difference deciding; patterns of one rank are not told apart. */
    fun rankOf(pattern: PathPattern): List<Int> =
        listOf(
            -pattern.segments.count { it is Segment.Constant },
            -pattern.segments.count { it is Segment.Affix },
            -pattern.segments.size,
            if (pattern.isOpen) 1 else 0,
            if (pattern.isFloating) 1 else 0,
            if (pattern.method == null) 1 else 0,
        ) + pattern.segments.flatMap(::rankOf)

    private fun rankOf(segment: Segment): List<Int> =
        when (segment) {
            is Segment.Constant -> listOf(0, 0, 0)
            is Segment.Affix -> listOf(1, -segment.prefix.length, -segment.suffix.length)
            Segment.Any -> listOf(2, 0, 0)
        }

    override fun compare(
        a: PathPattern,
        b: PathPattern,
    ): Int {
        val other = rankOf(b)
        rankOf(a).forEachIndexed { i, rank -> if (rank != other[i]) return rank.compareTo(other[i]) }
        return 0
    }
}
