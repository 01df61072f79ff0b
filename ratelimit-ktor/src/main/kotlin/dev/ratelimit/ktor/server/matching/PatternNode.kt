package dev.ratelimit.ktor.server.matching

/** The end of a pattern: the place of what it stands for, and the method. */
internal class PatternEnd(
    val rank: Int,
    val method: String?,
)

/** What a path has matched so far. */
internal class Ranks(
    private val method: String,
) {
    private val found = ArrayList<Int>(2)

    fun add(ends: List<PatternEnd>) {
        for (i in ends.indices) if (ends[i].method == null || ends[i].method == method) found += ends[i].rank
    }

    /** Each once: a pattern that may begin anywhere can match in several places. */
    fun sorted(): List<Int> = if (found.size > 1) found.distinct().sorted() else found
}

/** A place in a [PatternTree]: what patterns say of the part of a path that comes next. */
internal class PatternNode {
    private val constants = HashMap<String, PatternNode>()
    private val affixes = LinkedHashMap<Segment.Affix, PatternNode>()
    private var any: PatternNode? = null
    private val closed = ArrayList<PatternEnd>(0)
    private val open = ArrayList<PatternEnd>(0)

    fun add(
        pattern: PathPattern,
        rank: Int,
    ) {
        var node = this
        for (segment in pattern.segments) {
            node =
                when (segment) {
                    is Segment.Constant -> node.constants.getOrPut(segment.text) { PatternNode() }
                    is Segment.Affix -> node.affixes.getOrPut(segment) { PatternNode() }
                    Segment.Any -> node.any ?: PatternNode().also { node.any = it }
                }
        }
        (if (pattern.isOpen) node.open else node.closed) += PatternEnd(rank, pattern.method)
    }

    /** Another [part] comes. */
    fun step(
        part: String,
        next: MutableList<PatternNode>,
        found: Ranks,
    ) {
        if (open.isNotEmpty()) found.add(open)
        constants[part]?.let { next += it }
        if (affixes.isNotEmpty()) for ((affix, node) in affixes) if (affix.matches(part)) next += node
        any?.let { next += it }
    }

    /** The path ends here. */
    fun end(found: Ranks) {
        if (closed.isNotEmpty()) found.add(closed)
        if (open.isNotEmpty()) found.add(open)
    }
}
