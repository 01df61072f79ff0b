package dev.ratelimit.ktor.server.monitoring

import java.util.TreeMap
import kotlin.time.Duration

/**
 * What this instance has counted, by time: of all calls by the minute, of rules and endpoints by the minute for a while and by the hour as
 * long as anything is kept. At most 200,000 [cells][Series] of about 150 bytes for calls and rules, whatever rules and retention there are:
 * a week of one rule has 10,600, a week of 500 rules that are used all the time 144,000. At most 75,000 more for endpoints. Beyond that the
 * oldest goes first. Not thread-safe.
 */
internal class History(
    retention: Duration,
) {
    private val minutesKept = retention.inWholeMinutes + MINUTES_OF_HOUR
    private val totals = Series(MOST_MINUTES)
    private val rules = Parts(MOST_MINUTES, MOST_HOURS)
    private val endpoints = Parts(MOST_MINUTES / 2, MOST_HOURS / 2)

    /** @param byEndpoint whether endpoints have to be known too */
    fun since(byEndpoint: Boolean): Since =
        if (!byEndpoint) {
            rules.since()
        } else {
            val (one, other) = rules.since() to endpoints.since()
            Since(maxOf(one.minute, other.minute), maxOf(one.hour, other.hour))
        }

    fun add(
        minute: Long,
        subject: Subject,
        figures: Figures,
    ) {
        when (subject) {
            Subject.All -> totals.add(minute, subject, figures)
            is Subject.OfRule -> rules.add(minute, subject, figures)
            is Subject.OfEndpoint -> endpoints.add(minute, subject, figures)
        }
        totals.forget(minute - minutesKept)
        rules.forget(minute)
        endpoints.forget(minute)
    }

    fun tell(
        span: Span,
        byEndpoint: Boolean,
        findings: Findings,
    ) {
        totals.forEach(span.minutes) { minute, _, figures -> findings.addMinute(minute, figures) }
        rules.tell(span, findings)
        if (byEndpoint) endpoints.tell(span, findings)
    }

    /** Subjects of one kind, by minutes and by hours. */
    private inner class Parts(
        mostMinutes: Int,
        mostHours: Int,
    ) {
        private val minutes = Series(mostMinutes)
        private val hours = Series(mostHours)

        fun since() = Since(minutes.since, hours.since)

        fun add(
            minute: Long,
            subject: Subject,
            figures: Figures,
        ) {
            minutes.add(minute, subject, figures)
            hours.add(hourOf(minute), subject, figures)
        }

        fun forget(minute: Long) {
            minutes.forget(minute - MINUTES_OF_RULES)
            hours.forget(hourOf(minute - minutesKept))
        }

        fun tell(
            span: Span,
            findings: Findings,
        ) {
            minutes.forEach(span.minutesOfRules) { _, subject, figures -> findings.addPart(subject, figures) }
            hours.forEach(span.hoursOfRules) { _, subject, figures -> findings.addPart(subject, figures) }
        }
    }

    private companion object {
        const val MOST_MINUTES = 50_000
        const val MOST_HOURS = 100_000
    }
}

/**
 * From when on everything is known.
 *
 * @property minute by the minute
 * @property hour at all
 */
internal class Since(
    val minute: Long,
    val hour: Long,
)

/** Figures by slot of time and subject: a cell for each that has any. Not thread-safe. */
internal class Series(
    private val most: Int,
) {
    private val slots = TreeMap<Long, HashMap<Subject, Figures>>()
    private var cells = 0

    /** Nothing of this slot or a later one was dropped for want of space. */
    var since = 0L
        private set

    fun add(
        slot: Long,
        subject: Subject,
        figures: Figures,
    ) {
        val subjects = slots.getOrPut(slot) { HashMap() }
        if (subject !in subjects) cells++
        subjects.getOrPut(subject) { Figures() } += figures
        while (cells > most && slots.size > 1) since = maxOf(since, dropFirst() + 1)
    }

    fun forget(before: Long) {
        while (slots.isNotEmpty() && slots.firstKey() < before) dropFirst()
    }

    private fun dropFirst(): Long {
        val (slot, subjects) = slots.pollFirstEntry()
        cells -= subjects.size
        return slot
    }

    fun forEach(
        range: LongRange,
        action: (slot: Long, subject: Subject, figures: Figures) -> Unit,
    ) {
        if (range.isEmpty()) return
        for ((slot, subjects) in slots.subMap(range.first, true, range.last, true)) {
            for ((subject, figures) in subjects) action(slot, subject, figures)
        }
    }
}
