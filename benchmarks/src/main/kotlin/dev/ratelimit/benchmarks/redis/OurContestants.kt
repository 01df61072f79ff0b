package dev.ratelimit.benchmarks.redis

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import java.util.concurrent.CompletionStage

/** This library as its users call it: the limiter of a key, asked for a future. */
internal open class OurLimiter(
    field: Field,
    scenario: Scenario,
    keyPrefix: String,
) : Contestant<RateLimitResult> {
    private val store = Ours.store(field, keyPrefix)
    private val names = scenario.names
    private val limiters = KeyedRateLimiter<String>("users", scenario.limit, store = store)

    protected fun limiter(key: Int) = limiters[names[key]]

    override fun ask(key: Int): CompletionStage<RateLimitResult> = limiter(key).tryAcquireAsync()

    override fun isAllowed(answer: RateLimitResult): Boolean = answer.isAllowed

    override fun close() = store.close()
}

/** As [OurLimiter], by a thread of the caller's that waits in the limiter itself. */
internal class OurBlockingLimiter(
    field: Field,
    scenario: Scenario,
) : OurLimiter(field, scenario, "blocking:") {
    override fun decide(key: Int): Boolean = limiter(key).tryAcquireBlocking().isAllowed
}

/** The store below the limiter, whose answers come on the connection's thread. */
internal class OurStore(
    field: Field,
    scenario: Scenario,
) : Contestant<RateLimitResult> {
    private val store = Ours.store(field, "store:")
    private val names = scenario.names
    private val limit = scenario.limit

    override fun ask(key: Int): CompletionStage<RateLimitResult> =
        store.tryAcquireAsync(listOf(Charge(BucketKey("users", names[key], 0), limit, 1)), Long.MAX_VALUE)

    override fun isAllowed(answer: RateLimitResult): Boolean = answer.isAllowed

    override fun close() = store.close()
}
