package dev.ratelimit.ktor.server.settings

import info.debatty.java.stringsimilarity.Damerau

/** The one of [known] that was probably meant by [written]; null when none is like it. */
internal fun nearest(
    written: String,
    known: Collection<String>,
): String? {
    val distance = Damerau()
    return known
        .map { it to distance.distance(written.lowercase(), it.lowercase()) }
        .filter { (it, typos) -> typos <= maxOf(1.0, minOf(written.length, it.length) / LETTERS_PER_TYPO) }
        .minByOrNull { it.second }
        ?.first
}

private const val LETTERS_PER_TYPO = 3.0
