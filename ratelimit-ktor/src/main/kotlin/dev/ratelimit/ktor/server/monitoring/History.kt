package dev.ratelimit.ktor.server.monitoring

import java.util.TreeMap
import kotlin.time.Duration

/**
 * What this instance has counted, by time: of all calls by the minute, of rules by the minute for a while and by the hour as long as
 * anything is kept. At most 200,000 [cells][Series] of about 150 bytes, whatever rules and retention there are: a week of one rule has
 * 10,600, a week of 500 rules that are used all the time 144,000. Beyond that the oldest goes first. Not thread-safe.
 */
internal class History(
    retention: Duration,
) {
    private val minutesKept = retention.inWholeMinutes + MINUTES_OF_HOUR
    private val totals = Series(MOST_MINUTES)
    private val minutes = Series(MOST_MINUTES)
    private val hours = Series(MOST_HOURS)

    /** From which minute on rules are known by the minute. */
    val minutesSince: Long get() = minutes.since

    /** From which hour on rules are known at all. */
    val hoursSince: Long get() = hours.since

    fun add(
        minute: Long,
        rule: String,
        figures: Figures,
    ) {
        if (rule.isEmpty()) {
            totals.add(minute, rule, figures)
        } else {
            minutes.add(minute, rule, figures)
            hours.add(hourOf(minute), rule, figures)
        }
        totals.forget(minute - minutesKept)
        minutes.forget(minute - MINUTES_OF_RULES)
        hours.forget(hourOf(minute - minutesKept))
    }

    fun tell(
        span: Span,
        findings: Findings,
    ) {
        totals.forEach(span.minutes) { minute, _, figures -> findings.addMinute(minute, figures) }
        minutes.forEach(span.minutesOfRules) { _, rule, figures -> findings.addRule(rule, figures) }
        hours.forEach(span.hoursOfRules) { _, rule, figures -> findings.addRule(rule, figures) }
    }

    private companion object {
        const val MOST_MINUTES = 50_000
        const val MOST_HOURS = 100_000
    }
}

/** Figures by slot of time and rule: a cell for each that has any. Not thread-safe. */
internal class Series(
    private val most: Int,
) {
    private val slots = TreeMap<Long, HashMap<String, Figures>>()
    private var cells = 0

    /** Nothing of this slot or a later one was dropped for want of space. */
    var since = 0L
        private set

    fun add(
        slot: Long,
        rule: String,
        figures: Figures,
    ) {
        val rules = slots.getOrPut(slot) { HashMap() }
        if (rule !in rules) cells++
        rules.getOrPut(rule) { Figures() } += figures
        while (cells > most && slots.size > 1) since = maxOf(since, dropFirst() + 1)
    }

    fun forget(before: Long) {
        while (slots.isNotEmpty() && slots.firstKey() < before) dropFirst()
    }

    private fun dropFirst(): Long {
        val (slot, rules) = slots.pollFirstEntry()
        cells -= rules.size
        return slot
    }

    fun forEach(
        range: LongRange,
        action: (slot: Long, rule: String, figures: Figures) -> Unit,
    ) {
        if (range.isEmpty()) return
        for ((slot, rules) in slots.subMap(range.first, true, range.last, true)) {
            for ((rule, figures) in rules) action(slot, rule, figures)
        }
    }
}
