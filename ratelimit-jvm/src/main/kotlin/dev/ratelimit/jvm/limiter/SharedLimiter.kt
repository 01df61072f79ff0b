package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.shared.Ask
import dev.ratelimit.jvm.shared.SharedBuckets
import dev.ratelimit.jvm.shared.SharedRule
import dev.ratelimit.jvm.shared.SharedSlot
import java.lang.invoke.MethodHandles
import java.lang.invoke.VarHandle

/** The keys of one limiter in a shared file, which it asks in the file's own terms. */
internal class SharedFamily(
    name: String,
    limits: List<RateLimit>,
    override val store: SharedMemoryStore,
    options: LimiterOptions,
    lines: Lines,
) : Family(name, limits, store.clock(), options, lines) {
    /** The limits as the file that is open now knows them. */
    class Rules(
        @JvmField val buckets: SharedBuckets,
        @JvmField val all: List<SharedRule>,
    ) {
        @JvmField val only: SharedRule? = all.singleOrNull()
    }

    @Volatile
    private var rules: Rules? = null

    init {
        slots.limits.forEach(::check)
    }

    /** The rules in [buckets]. */
    fun rulesIn(buckets: SharedBuckets): Rules {
        val known = rules
        return if (known != null && known.buckets === buckets) known else renewed(buckets)
    }

    @Synchronized
    private fun renewed(buckets: SharedBuckets): Rules =
        slots.run { Rules(buckets, limits.indices.map { buckets.rule(name, places[it], limits[it]) }) }.also { rules = it }

    override fun check(limit: RateLimit) = store.check(limit)

    @Synchronized
    override fun changed() {
        rules = null
    }
}

/** One key of a limiter in a shared file. With a single limit it holds on to its slot, so that asking is one compare-and-set. */
internal class SharedLimiter(
    private val own: SharedFamily,
    key: Any?,
) : LocalLimiter(own, key) {
    /** The slot that was asked last. Racy on purpose: every slot tells by itself when it is another's. */
    private var slot: SharedSlot? = null

    override fun takeAt(
        at: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult =
        asking { buckets ->
            val rules = own.rulesIn(buckets)
            val now = buckets.instantOf(at)
            val rule = rules.only
            if (rule == null) buckets.tryAcquire(asks(rules, permits), now, maxDelay) else takeFrom(buckets, rule, now, permits, maxDelay)
        }

    private fun takeFrom(
        buckets: SharedBuckets,
        rule: SharedRule,
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult {
        if (permits != 1L) rule.meter.limit.checkPermits(permits)
        var asked = slot
        while (true) {
            if (asked == null || asked.rule !== rule) asked = buckets.slot(rule, rule.tagOf(key), now).also(::remember)
            asked.tryAcquire(now, permits, maxDelay)?.let { return it }
            asked = null
        }
    }

    /** Published so that whoever reads it sees a slot that is complete. */
    private fun remember(asked: SharedSlot) = SLOT.setRelease(this, asked)

    override fun look(
        permits: Long,
        ahead: Long,
    ): RateLimitResult = asking { it.peek(asks(own.rulesIn(it), permits), it.now(), ahead) }

    override fun forget() = asking { own.store.reset(own.slots.keys(own.name, key)) }

    override fun adjust(permits: Long) =
        asking { buckets -> buckets.adjust(own.rulesIn(buckets).all.map { Ask(it, it.tagOf(key), permits) }, buckets.now()) }

    private fun asks(
        rules: SharedFamily.Rules,
        permits: Long,
    ): List<Ask> =
        rules.all.map {
            it.meter.limit.checkPermits(permits)
            Ask(it, it.tagOf(key), permits)
        }

    private inline fun <T> asking(question: (SharedBuckets) -> T): T =
        try {
            own.store.guarded(question)
        } catch (e: RateLimitStoreException) {
            family.observer.storeFailed(key, e)
            throw e
        }

    private companion object {
        val SLOT: VarHandle =
            MethodHandles
                .privateLookupIn(SharedLimiter::class.java, MethodHandles.lookup())
                .findVarHandle(SharedLimiter::class.java, "slot", SharedSlot::class.java)
    }
}
