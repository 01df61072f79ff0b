package dev.ratelimit.ktor.server.monitoring

import java.time.Instant
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes

/** Numbers that instances keep together in the store: those of one kind, and of one minute or hour. */
internal data class Group(
    val kind: Kind,
    val slot: Long,
) {
    enum class Kind(
        val word: String,
        val isByHour: Boolean,
    ) {
        /** All calls, each number by its minute: `05d` is what was denied in the sixth minute. */
        TOTALS("totals", true),

        /** Rules: `dPOST:/auth` followed by `/` and `*` is what that rule has denied. */
        RULES_BY_MINUTE("rules-of-minute", false),
        RULES_BY_HOUR("rules-of-hour", true),

        /** Endpoints: `dPOST /auth/login` is what was denied of that. */
        ENDPOINTS_BY_MINUTE("endpoints-of-minute", false),
        ENDPOINTS_BY_HOUR("endpoints-of-hour", true),

        /** What was denied most: `k` and a [DeniedId], or `e` and an endpoint. */
        DENIED_BY_MINUTE("denied-in-minute", false),
        DENIED_BY_HOUR("denied-in-hour", true),
    }

    /** `monitoring/totals/2026-11-21T14`. */
    val name: String
        get() {
            val minute = if (kind.isByHour) slot * MINUTES_OF_HOUR else slot
            val time = Instant.ofEpochSecond(minute * SECONDS).atOffset(ZoneOffset.UTC)
            return "monitoring/${kind.word}/${(if (kind.isByHour) HOUR else MINUTE).format(time)}"
        }

    /** How long it is kept after something was added last: as long as somebody may ask for it, and a little longer. */
    fun keptFor(retention: Duration): Duration =
        when (kind) {
            Kind.TOTALS, Kind.RULES_BY_HOUR, Kind.ENDPOINTS_BY_HOUR, Kind.DENIED_BY_HOUR -> retention
            Kind.RULES_BY_MINUTE, Kind.ENDPOINTS_BY_MINUTE -> minOf(retention, MINUTES_OF_RULES.minutes)
            Kind.DENIED_BY_MINUTE -> minOf(retention, Span.MINUTES_OF_DENIALS.minutes)
        } + 2.hours

    /** Tells a number of the group by its name; one that is not known was written by a version that is newer. */
    fun tell(
        name: String,
        number: Long,
        findings: Findings,
    ) {
        if (name.isEmpty()) return
        when (kind) {
            Kind.TOTALS -> tellTotal(name, number, findings)
            Kind.RULES_BY_MINUTE, Kind.RULES_BY_HOUR -> placeOf(name[0])?.let { findings.addRule(name.substring(1), it, number) }
            Kind.ENDPOINTS_BY_MINUTE, Kind.ENDPOINTS_BY_HOUR ->
                placeOf(name[0])?.let { findings.addEndpoint(name.substring(1), it, number) }
            Kind.DENIED_BY_MINUTE, Kind.DENIED_BY_HOUR -> listOf(name[0])?.let { findings.addDenied(it, name.substring(1), number) }
        }
    }

    private fun tellTotal(
        name: String,
        number: Long,
        findings: Findings,
    ) {
        val minute = name.dropLast(1).toIntOrNull() ?: return
        if (minute !in 0 until MINUTES_OF_HOUR) return
        placeOf(name.last())?.let { findings.addTotal(slot * MINUTES_OF_HOUR + minute, it, number) }
    }

    companion object {
        private const val SECONDS = 60L
        private val MINUTE = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm")
        private val HOUR = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH")

        /** A letter for each outcome, for the time and for the longest, in the order of [Figures]. */
        private const val LETTERS = "adsbxoctl"
        private const val LISTS = "ke"

        private fun placeOf(letter: Char): Int? = LETTERS.indexOf(letter).takeIf { it >= 0 }

        private fun listOf(letter: Char): DeniedList? = DeniedList.entries.getOrNull(LISTS.indexOf(letter))

        fun nameOfTotal(
            minute: Long,
            place: Int,
        ): String = "${Math.floorMod(minute, MINUTES_OF_HOUR).toString().padStart(2, '0')}${LETTERS[place]}"

        /** Of a rule or an endpoint. */
        fun nameOfPart(
            part: String,
            place: Int,
        ): String = LETTERS[place] + part

        fun nameOfDenied(
            list: DeniedList,
            text: String,
        ): String = LISTS[list.ordinal] + text
    }
}
