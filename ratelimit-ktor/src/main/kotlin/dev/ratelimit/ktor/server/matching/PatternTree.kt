package dev.ratelimit.ktor.server.matching

/**
 * Finds the patterns that a path matches, all at once: a tree of segments is walked breadth first, one level for each part of the path, and
 * no part is looked at twice by the same node, so the time is bounded by the path's length and the size of the tree.
 *
 * @param patterns the most specific first
 */
internal class PatternTree<T : Any>(
    patterns: List<Pair<PathPattern, T>>,
) {
    private val values: List<T> = patterns.map { it.second }
    private val anchored = PatternNode()
    private val floating = PatternNode()
    private val hasFloating = patterns.any { it.first.isFloating }

    init {
        patterns.forEachIndexed { rank, (pattern, _) -> (if (pattern.isFloating) floating else anchored).add(pattern, rank) }
    }

    /** What stands at the patterns that match, the most specific first. */
    fun find(
        method: String,
        path: List<String>,
    ): List<T> {
        val found = Ranks(method)
        var active = ArrayList<PatternNode>(EXPECTED)
        var next = ArrayList<PatternNode>(EXPECTED)
        active += anchored
        for (part in path) {
            if (hasFloating) active += floating
            if (active.isEmpty()) break
            for (i in active.indices) active[i].step(part, next, found)
            val used = active
            used.clear()
            active = next
            next = used
        }
        for (i in active.indices) active[i].end(found)
        return found.sorted().map { values[it] }
    }

    private companion object {
        const val EXPECTED = 4
    }
}
