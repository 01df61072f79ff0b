package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.store.Bucket
import dev.ratelimit.jvm.store.Claim
import dev.ratelimit.jvm.store.MemoryBuckets
import dev.ratelimit.jvm.store.Rule
import java.lang.invoke.MethodHandles
import java.lang.invoke.VarHandle

/** The keys of one limiter in a memory store, which it asks in the store's own terms. */
internal class MemoryFamily(
    name: String,
    limits: List<RateLimit>,
    override val store: MemoryStore,
    options: LimiterOptions,
    lines: Lines,
) : Family(name, limits, store.clock(), options, lines) {
    @JvmField val buckets: MemoryBuckets = store.buckets

    @Volatile
    var rules: List<Rule> = rulesNow()
        private set

    /** The rule of a limiter that has one limit; else null. */
    @JvmField
    @Volatile
    var onlyRule: Rule? = rules.singleOrNull()

    override fun changed() {
        rules = rulesNow()
        onlyRule = rules.singleOrNull()
    }

    private fun rulesNow(): List<Rule> = slots.run { limits.indices.map { buckets.rule(name, places[it], limits[it]) } }
}

/** One key of a limiter in a memory store. With a single limit it holds on to its bucket, so that asking is one compare-and-set. */
internal class MemoryLimiter(
    private val own: MemoryFamily,
    key: Any?,
) : LocalLimiter(own, key) {
    /** The bucket that was asked last. Racy on purpose: every bucket tells by itself when it is dead. */
    private var bucket: Bucket? = null

    override fun takeAt(
        at: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult {
        val now = own.buckets.instantOf(at)
        val rule = own.onlyRule ?: return own.buckets.tryAcquire(claims(permits), now, maxDelay)
        if (permits != 1L) rule.meter.limit.checkPermits(permits)
        var asked = bucket
        while (true) {
            // What varies here is the bucket, not the result: the compiler can do without an object that has one origin.
            if (asked == null || !asked.rule.isSameLimitAs(rule)) asked = own.buckets.bucket(rule, key, now).also(::remember)
            asked.tryAcquire(now, permits, maxDelay)?.let { return it }
            asked = null
        }
    }

    /** Published so that whoever reads it sees a bucket that is complete. */
    private fun remember(asked: Bucket) = BUCKET.setRelease(this, asked)

    override fun look(
        permits: Long,
        ahead: Long,
    ): RateLimitResult = own.buckets.peek(claims(permits), own.buckets.now(), ahead)

    override fun forget() = own.buckets.reset(own.rules.map { Claim(it, key, 1) })

    override fun adjust(permits: Long) {
        val rules = own.rules
        own.buckets.adjust(rules.map { Claim(it, key, 1) }, List(rules.size) { permits }, own.buckets.now())
    }

    private fun claims(permits: Long): List<Claim> =
        own.rules.map {
            it.meter.limit.checkPermits(permits)
            Claim(it, key, permits)
        }

    private companion object {
        val BUCKET: VarHandle =
            MethodHandles
                .privateLookupIn(MemoryLimiter::class.java, MethodHandles.lookup())
                .findVarHandle(MemoryLimiter::class.java, "bucket", Bucket::class.java)
    }
}
