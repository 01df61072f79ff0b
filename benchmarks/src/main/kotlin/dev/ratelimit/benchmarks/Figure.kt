package dev.ratelimit.benchmarks

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import java.io.File
import java.util.Locale

/** A number that was measured outside JMH, and what it should be, if anything. */
internal class Figure(
    val title: String,
    val value: Double,
    val unit: String,
    val atMost: Double? = null,
    val atLeast: Double? = null,
) {
    val isMet: Boolean get() = (atMost == null || value <= atMost) && (atLeast == null || value >= atLeast)

    override fun toString(): String = String.format(Locale.ROOT, "%-58s %,12.1f %s", title, value, unit)

    companion object {
        private val json = ObjectMapper()

        /** Prints [figures], and writes them to the file named by the first of [args], if there is one. */
        fun report(
            args: Array<String>,
            figures: List<Figure>,
        ) {
            figures.forEach(::println)
            val file = args.firstOrNull() ?: return
            val nodes = json.createArrayNode()
            for (figure in figures) {
                val node = nodes.addObject().put("title", figure.title).put("value", figure.value).put("unit", figure.unit)
                figure.atMost?.let { node.put("atMost", it) }
                figure.atLeast?.let { node.put("atLeast", it) }
            }
            json.writeValue(File(file), nodes)
        }

        fun read(file: File): List<Figure> =
            json.readTree(file).map {
                Figure(it["title"].asText(), it["value"].asDouble(), it["unit"].asText(), it.number("atMost"), it.number("atLeast"))
            }

        private fun JsonNode.number(name: String): Double? = get(name)?.asDouble()
    }
}
