package dev.ratelimit.jvm.shared

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.algorithm.Meter
import dev.ratelimit.jvm.algorithm.WordMeter
import dev.ratelimit.jvm.store.Joint
import dev.ratelimit.jvm.store.adjusted
import dev.ratelimit.spi.BucketKey
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap

/** The buckets of one open file. After a fault, or when another file has taken its place, there is a new one of these. */
internal class SharedBuckets(
    private val opened: Opened,
    clockOf: (Words) -> NanoClock,
) : AutoCloseable {
    private val header = opened.header
    private val size = Layout.cellsAt(header.groups)

    val words = Words(opened.channel.map(FileChannel.MapMode.READ_WRITE, 0, size))
    val marks = Marks(words, size.toInt())
    val table = Table(words, marks, header.groups)

    @JvmField val clock: NanoClock = clockOf(words)

    private val members = Members(words, opened.channel, marks, clock::nanoTime)
    private val transactions = Transactions(words, members.records())
    private val chunks = Chunks(opened.channel, opened.appending, size)
    private val arena = Arena(words, chunks)
    private val declarations = Declarations(RateLimit.perSecond(1.0))
    private val meters = ConcurrentHashMap<StoredLimit, Meter>().apply { put(StoredLimit.DECLARATIONS, declarations) }
    val states = States(words, arena, ::meterOf)
    private val placement = Placement(words, table, marks, states, transactions)
    private val held = HeldSlots(words, table, marks, states, placement, transactions)

    private var ticks = 0

    val maxKeys: Int get() = header.maxKeys

    fun now(): Long = clock.nanoTime() - header.origin

    fun instantOf(reading: Long): Long = reading - header.origin

    fun rule(
        limiter: String,
        slot: Int,
        limit: RateLimit,
    ): SharedRule {
        val stored = StoredLimit.of(limit)
        val meter = checkNotNull(meterOf(stored)) { "a limit has a meter" }
        return SharedRule(meter, stored, SharedRule.names(header.seed0, header.seed1, limiter, slot))
    }

    private fun meterOf(limit: StoredLimit): Meter? {
        meters[limit]?.let { return it }
        val meter = Meter.of(limit.limit() ?: return null, header.origin)
        // Limits that a program computes as it runs must not pile up; the meters of those in use are held by their rules.
        if (meters.size >= MAX_METERS) meters.keys.removeIf { it != StoredLimit.DECLARATIONS }
        return meters.putIfAbsent(limit, meter) ?: meter
    }

    /** The slot to ask until it is another's; then this gives the next. */
    fun slot(
        rule: SharedRule,
        tag: KeyTag,
        now: Long,
    ): SharedSlot {
        val place = whole { placement.placeFor(tag, rule.limit, rule.meter, now) }
        return if (rule.meter is WordMeter) WordSlot(this, rule, place) else BlockSlot(this, rule, place)
    }

    /** The state in the block that [word] names; one that is damaged goes, and null says that the slot is to be looked up again. */
    fun blockOf(
        meter: Meter,
        place: Place,
        word: Long,
        now: Long,
    ): LongArray? {
        states.stateOf(meter, word, now)?.let { return it }
        if (words.get(place.at + Layout.STATE) == word) words.swap(place.at + Layout.STATE, word, State.FREE)
        return null
    }

    fun tryAcquire(
        asks: List<Ask>,
        now: Long,
        maxDelay: Long,
    ): RateLimitResult {
        val ask = asks.singleOrNull() ?: return together(asks, now, maxDelay)
        while (true) slot(ask.rule, ask.tag, now).tryAcquire(now, ask.permits, maxDelay)?.let { return it }
    }

    private fun together(
        asks: List<Ask>,
        now: Long,
        maxDelay: Long,
    ) = whole { held.change(merged(asks), now) { Joint(it.asks, it.states).tryAcquire(now, maxDelay) } }

    fun peek(
        asks: List<Ask>,
        now: Long,
        ahead: Long,
    ): RateLimitResult = whole { merged(asks).let { Joint(it, held.look(it, now)).peek(now, ahead) } }

    /** Applies each ask's permits, of which negative ones are given back. */
    fun adjust(
        asks: List<Ask>,
        now: Long,
    ) {
        whole {
            held.change(distinct(asks), now) { slots ->
                for (ask in asks) {
                    val i = slots.asks.indexOfFirst { it.isSameBucketAs(ask) }
                    slots.states[i] = slots.asks[i].meter.adjusted(slots.states[i], now, ask.permits)
                }
            }
        }
    }

    fun reset(keys: List<BucketKey>) {
        val tags = keys.distinct().map { SharedRule.tagOf(SharedRule.names(header.seed0, header.seed1, it.limiter, it.slot), it.key) }
        whole { held.forget(tags, now()) }
    }

    /** Declares [limits] until an instant, and tells what all declare. */
    fun declare(
        limiter: String,
        member: String,
        limits: List<RateLimit>,
        until: Long,
    ): Set<RateLimit> {
        val names = SharedRule.names(header.seed0, header.seed1, limiter, DECLARED)
        val rule = SharedRule(declarations, StoredLimit.DECLARATIONS, names)
        val now = now()
        val own = Declarations.Member(SharedRule.tagOf(SipHash128(header.seed0, header.seed1), member), until, limits.map(StoredLimit::of))
        val all =
            whole {
                held.change(listOf(Ask(rule, rule.tagOf(null), 1)), now) { slots ->
                    declarations.with(slots.states[0], now, own).also { slots.states[0] = declarations.stateOf(it) }
                }
            }
        return all.flatMap { it.limits }.mapNotNull { it.limit() }.toSet()
    }

    /** What came of [work], unless the file was cut short meanwhile: then part of it was read where nothing is. */
    private inline fun <T> whole(work: () -> T): T {
        val result = work()
        checkWhole()
        return result
    }

    /** Throws if the file was cut short. */
    fun checkWhole() {
        if (!words.isThere((size - Layout.WORD).toInt()) || !chunks.isThere()) throw InternalError("the file ends too early")
    }

    /** Now and then: this process lives; what the dead have left is put in order. */
    fun tick() {
        (clock as? SharedClock)?.tick()
        members.beat()
        arena.follow()
        if (ticks++ % TICKS_PER_SWEEP == 0) members.sweep()
    }

    /** Whether the file at [path] is still this one, and whole. */
    fun isSound(path: Path): Boolean =
        opened.channel.isOpen && opened.channel.size() >= chunks.end && Opening.attributesOf(path)?.fileKey() == opened.fileKey &&
            Opening.isSame(opened.channel, header)

    override fun close() {
        transactions.close()
        members.leave()
        abandon()
    }

    /** Lets go of a file that is gone, without a word to it. */
    fun abandon() {
        transactions.refuse()
        opened.close()
    }

    private companion object {
        const val MAX_METERS = 1024
        const val TICKS_PER_SWEEP = 8

        /** Stands where a limit's number stands. */
        const val DECLARED = -1
    }
}
