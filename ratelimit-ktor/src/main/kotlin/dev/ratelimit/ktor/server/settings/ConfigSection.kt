package dev.ratelimit.ktor.server.settings

import dev.ratelimit.RateLimit
import kotlin.time.Duration

/** A part of a configuration, as maps, lists and texts; whatever is wrong in it is told with its place. */
internal class ConfigSection(
    private val path: String,
    private val values: Map<String, Any?>,
    private val known: Set<String>,
) {
    init {
        for (key in values.keys - known) {
            val meant = nearest(key, known)
            throw IllegalArgumentException(
                "there is no setting '${at(key)}'; " + if (meant == null) "there are ${known.sorted()}" else "did you mean '${at(meant)}'?",
            )
        }
    }

    fun at(key: String) = if (path.isEmpty()) key else "$path.$key"

    fun text(key: String): String? =
        when (val value = values[key]) {
            null -> null
            is Map<*, *>, is List<*> -> wrong(key, value, "one value")
            else -> value.toString()
        }

    fun flag(key: String): Boolean? = read(key, "true or false") { it.toBooleanStrictOrNull() }

    fun whole(key: String): Long? = read(key, "a whole number") { it.toLongOrNull() }

    fun number(key: String): Double? = read(key, "a number") { it.toDoubleOrNull() }

    fun duration(key: String): Duration? = read(key, "a span of time, for example 7d or 30s") { Duration.parseOrNull(it) }

    /** One text, or several. */
    fun texts(key: String): List<String> =
        when (val value = values[key]) {
            null -> emptyList()
            is List<*> -> value.map {
                if (it is Map<*, *> || it is List<*> ||
                    it == null
                ) {
                    wrong(key, value, "a list of texts")
                } else {
                    it.toString()
                }
            }
            is Map<*, *> -> wrong(key, value, "a text or a list of texts")
            else -> listOf(value.toString())
        }

    fun limits(key: String): List<RateLimit> =
        texts(key).map {
            try {
                RateLimit.parse(it)
            } catch (e: IllegalArgumentException) {
                throw IllegalArgumentException("${at(key)}: ${e.message}", e)
            }
        }

    fun section(
        key: String,
        known: Set<String>,
    ): ConfigSection? = values[key]?.let { ConfigSection(at(key), map(key, it), known) }

    /** Whose names the user chooses. */
    fun named(key: String): ConfigSection? = values[key]?.let { value -> map(key, value).let { ConfigSection(at(key), it, it.keys) } }

    val names: Set<String> get() = values.keys

    fun has(key: String) = key in values

    fun isList(key: String) = values[key] is List<*>

    fun sections(
        key: String,
        known: Set<String>,
    ): List<ConfigSection> {
        val value = values[key] ?: return emptyList()
        if (value !is List<*>) wrong(key, value, "a list")
        return value.mapIndexed { i, item -> ConfigSection("${at(key)}[$i]", map("$key[$i]", item), known) }
    }

    private fun map(
        key: String,
        value: Any?,
    ): Map<String, Any?> = (value as? Map<*, *> ?: wrong(key, value, "a section")).entries.associate { it.key.toString() to it.value }

    private fun <T : Any> read(
        key: String,
        what: String,
        parse: (String) -> T?,
    ): T? = text(key)?.let { parse(it) ?: wrong(key, it, what) }

    private fun wrong(
        key: String,
        value: Any?,
        what: String,
    ): Nothing = throw IllegalArgumentException("setting '${at(key)}' is '$value'; write $what")
}
