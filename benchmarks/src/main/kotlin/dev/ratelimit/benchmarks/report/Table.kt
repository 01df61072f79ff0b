package dev.ratelimit.benchmarks.report

/** Text in columns: the first and the last to the left, the others to the right. */
internal class Table(
    private vararg val heads: String,
) {
    private val rows = mutableListOf<List<String>>()

    fun row(vararg cells: String) {
        require(cells.size == heads.size) { "${cells.size} cells for ${heads.size} columns" }
        rows += cells.toList()
    }

    override fun toString(): String {
        val all = listOf(heads.toList()) + rows
        val widths = heads.indices.map { column -> all.maxOf { it[column].length } }
        val lines =
            all.map { cells ->
                cells.indices
                    .joinToString("  ") {
                        if (it == 0 ||
                            it == cells.lastIndex
                        ) {
                            cells[it].padEnd(widths[it])
                        } else {
                            cells[it].padStart(widths[it])
                        }
                    }
                    .trimEnd()
            }
        return (listOf(lines.first(), widths.joinToString("  ") { "-".repeat(it) }) + lines.drop(1)).joinToString("\n")
    }
}
