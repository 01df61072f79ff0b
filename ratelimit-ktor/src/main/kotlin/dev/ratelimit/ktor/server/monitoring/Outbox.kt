package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.spi.TallyEntry
import org.slf4j.LoggerFactory
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * What the store was not told yet, or has not confirmed. What was sent and not confirmed stays as it is, with its number, until it is
 * confirmed; so it counts once, however often it is sent. Thread-safe.
 *
 * @param writer names this instance, unlike all others
 * @param most how many numbers are kept; beyond that the oldest minute is dropped, for the others will hear of its hour all the same
 */
internal class Outbox(
    private val writer: String,
    private val retention: Duration,
    private val most: Int = MOST_NUMBERS,
) {
    private class Numbers {
        val sums = HashMap<String, Long>()
        val maxima = HashMap<String, Long>()
        var sent: TallyEntry? = null

        val size: Int get() = sums.size + maxima.size + sentSize
        val sentSize: Int get() = sent?.let { it.sums.size + it.maxima.size } ?: 0

        fun add(
            name: String,
            number: Long,
            isMaximum: Boolean = false,
        ) {
            if (isMaximum) maxima.merge(name, number, Math::max) else sums.merge(name, number, Long::plus)
        }
    }

    private val groups = LinkedHashMap<Group, Numbers>()
    private var size = 0
    private var lastNumber = 0L
    private var hasDropped = false

    @Synchronized
    fun add(
        minute: Long,
        subject: Subject,
        figures: Figures,
    ) = when (subject) {
        Subject.All -> add(Group(Group.Kind.TOTALS, hourOf(minute)), figures) { Group.nameOfTotal(minute, it) }
        is Subject.OfRule -> addPart(subject.name, Group.Kind.RULES_BY_MINUTE, Group.Kind.RULES_BY_HOUR, minute, figures)
        is Subject.OfEndpoint -> addPart(subject.name, Group.Kind.ENDPOINTS_BY_MINUTE, Group.Kind.ENDPOINTS_BY_HOUR, minute, figures)
    }

    private fun addPart(
        name: String,
        byMinute: Group.Kind,
        byHour: Group.Kind,
        minute: Long,
        figures: Figures,
    ) {
        add(Group(byMinute, minute), figures) { Group.nameOfPart(name, it) }
        add(Group(byHour, hourOf(minute)), figures) { Group.nameOfPart(name, it) }
    }

    private fun add(
        group: Group,
        figures: Figures,
        nameOf: (place: Int) -> String,
    ) = change(group) { figures.forEach { place, number -> add(nameOf(place), number, place == Figures.LONGEST) } }

    @Synchronized
    fun add(
        group: Group,
        list: DeniedList,
        times: Map<String, Long>,
    ) = change(group) { times.forEach { (text, number) -> add(Group.nameOfDenied(list, text), number) } }

    private fun change(
        group: Group,
        change: Numbers.() -> Unit,
    ) {
        val numbers = groups.getOrPut(group) { Numbers() }
        size -= numbers.size
        numbers.change()
        size += numbers.size
        while (size > most && groups.size > 1) drop()
    }

    private fun drop() {
        val group = groups.keys.firstOrNull { !it.kind.isByHour } ?: groups.keys.first()
        size -= groups.remove(group)?.size ?: 0
        if (!hasDropped) log.warn("the store is away for so long that it will not be told of {}, and perhaps of more", group.name)
        hasDropped = true
    }

    /** The groups that the store is to be told of. */
    @Synchronized
    fun groups(): List<Group> = groups.keys.toList()

    /** What to send of [group] now; null if there is nothing. Until it is [confirmed], it is the same. */
    @Synchronized
    fun next(group: Group): TallyEntry? {
        val numbers = groups[group] ?: return null
        numbers.sent?.let { return it }
        val sums = numbers.sums.taken(MOST_TOGETHER)
        val maxima = numbers.maxima.taken(MOST_TOGETHER - sums.size)
        val retention = group.keptFor(retention).toJavaDuration()
        return TallyEntry(group.name, writer, ++lastNumber, sums, maxima, retention).also { numbers.sent = it }
    }

    @Synchronized
    fun confirmed(
        group: Group,
        entry: TallyEntry,
    ) {
        val numbers = groups[group] ?: return
        if (numbers.sent !== entry) return
        size -= numbers.sentSize
        numbers.sent = null
        if (numbers.size == 0) groups.remove(group)
        hasDropped = false
    }

    /** Others come first the next time: what fails may be about this group alone. */
    @Synchronized
    fun failed(group: Group) {
        groups.remove(group)?.let { groups[group] = it }
    }

    /**
     * What the store does not have of [group].
     *
     * @param confirmed the number of the last entry that it has
     */
    @Synchronized
    fun tell(
        group: Group,
        confirmed: Long,
        findings: Findings,
    ) {
        val numbers = groups[group] ?: return
        val sent = numbers.sent?.takeIf { it.number > confirmed }
        for (some in listOfNotNull(numbers.sums, numbers.maxima, sent?.sums, sent?.maxima)) {
            some.forEach { (name, number) -> group.tell(name, number, findings) }
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger("dev.ratelimit.ktor.server.RateLimiting")

        /** About 5 MB. */
        const val MOST_NUMBERS = 50_000

        /** Redis answers nobody else while it adds them. */
        const val MOST_TOGETHER = 500

        /** The first entries, which are not in the map any more. */
        fun HashMap<String, Long>.taken(most: Int): Map<String, Long> {
            val taken = entries.take(most).associate { it.key to it.value.coerceIn(0, TallyEntry.MOST) }
            keys.removeAll(taken.keys)
            return taken
        }
    }
}
