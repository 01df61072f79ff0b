package dev.ratelimit.samples.demo

import com.github.ajalt.mordant.rendering.TextColors.green
import com.github.ajalt.mordant.rendering.TextColors.red
import java.util.Locale

private const val STEP_MILLIS = 250L

/** When requests came, a line for each quarter of a second: who sent it, or `#`, for one that was answered, `x` for one that got 429. */
internal fun timeline(arrivals: List<Arrival>): String {
    val steps = arrivals.groupBy { it.at / 1_000_000 / STEP_MILLIS }
    return (0..(steps.keys.maxOrNull() ?: 0)).joinToString("\n") { step ->
        val (answered, refused) = steps[step].orEmpty().partition { it.isAnswered }
        val time = String.format(Locale.ROOT, "%7.2f s  ", step * STEP_MILLIS / 1000.0)
        time + green(answered.joinToString("") { it.from.ifEmpty { "#" } }) + red("x".repeat(refused.size))
    }
}
