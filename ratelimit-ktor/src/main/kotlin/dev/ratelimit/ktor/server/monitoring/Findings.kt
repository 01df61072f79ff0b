package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.DeniedEndpoint
import dev.ratelimit.ktor.server.DeniedKey
import dev.ratelimit.ktor.server.RateLimitMetrics
import dev.ratelimit.ktor.server.RateLimitMinute
import java.time.Instant
import java.util.TreeMap

/** What is known of a [span], put together from wherever it is. Not thread-safe. */
internal class Findings(
    private val span: Span,
) {
    private val totals = Figures()
    private val minutes = TreeMap<Long, Figures>()
    private val rules = TreeMap<String, Figures>()
    private val endpoints = TreeMap<String, Figures>()
    private val denied = DeniedList.entries.associateWith { HashMap<String, Long>() }

    fun addMinute(
        minute: Long,
        figures: Figures,
    ) = figures.forEach { place, number -> addTotal(minute, place, number) }

    fun addTotal(
        minute: Long,
        place: Int,
        number: Long,
    ) {
        if (minute !in span.minutes) return
        totals.add(place, number)
        minutes.getOrPut(minute) { Figures() }.add(place, number)
    }

    fun addPart(
        subject: Subject,
        figures: Figures,
    ) = figures.forEach { place, number ->
        when (subject) {
            Subject.All -> Unit
            is Subject.OfRule -> addRule(subject.name, place, number)
            is Subject.OfEndpoint -> addEndpoint(subject.name, place, number)
        }
    }

    fun addRule(
        rule: String,
        place: Int,
        number: Long,
    ) = rules.getOrPut(rule) { Figures() }.add(place, number)

    fun addEndpoint(
        endpoint: String,
        place: Int,
        number: Long,
    ) = endpoints.getOrPut(endpoint) { Figures() }.add(place, number)

    /** Endpoints that have had calls, if perhaps none in this span. */
    fun know(names: Set<String>) = names.forEach { endpoints.getOrPut(it) { Figures() } }

    fun addDenied(
        list: DeniedList,
        text: String,
        times: Long,
    ) {
        denied.getValue(list).merge(text, times, Long::plus)
    }

    fun addDenied(
        list: DeniedList,
        times: Map<String, Long>,
    ) = times.forEach { (text, number) -> addDenied(list, text, number) }

    fun metrics(isShared: Boolean): RateLimitMetrics =
        RateLimitMetrics(
            window = span.window,
            from = span.start,
            to = span.to,
            isShared = isShared,
            totals = totals.counts(),
            rules = rules.mapValues { it.value.counts() },
            endpoints = endpoints.mapValues { it.value.counts() },
            minutes = minutes.map { (minute, figures) -> RateLimitMinute(Instant.ofEpochSecond(minute * SECONDS), figures.counts()) },
            topKeys =
                top(DeniedList.KEYS).mapNotNull { (key, times) ->
                    DeniedId.parse(key)?.let { DeniedKey(it.rule, it.scope, it.key, times) }
                },
            topEndpoints = top(DeniedList.ENDPOINTS).map { (endpoint, times) -> DeniedEndpoint(endpoint, times) },
        )

    private fun top(list: DeniedList): List<Pair<String, Long>> =
        denied
            .getValue(list)
            .toList()
            .sortedWith(compareBy({ -it.second }, { it.first }))
            .take(MOST)

    private companion object {
        const val SECONDS = 60L

        /** As many as one looks at. */
        const val MOST = 20
    }
}
