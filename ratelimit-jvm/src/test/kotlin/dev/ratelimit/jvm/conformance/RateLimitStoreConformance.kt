package dev.ratelimit.jvm.conformance

import io.kotest.core.spec.style.FunSpec

/**
 * The rules that hold in every store, as tests. A store is right when it passes all of them:
 *
 * ```
 * class MyStoreTest : RateLimitStoreConformance({ MyFixture() })
 * ```
 *
 * Every test opens a store of its own by [open], asks it through the five operations of [dev.ratelimit.spi.RateLimitStore], and closes
 * it. Nothing here sleeps: time is moved by [StoreFixture.advance].
 */
public abstract class RateLimitStoreConformance(
    open: () -> StoreFixture,
) : FunSpec({
        fullBucketTests(open)
        refillTests(open)
        tokenBucketTests(open)
        leakyBucketTests(open)
        windowTests(open)
        questionTests(open)
        foresightTests(open)
        reservationTests(open)
        listTests(open)
        keyTests(open)
        adjustmentTests(open)
        limitChangeTests(open)
        concurrencyTests(open)
        localStoreTests(open)
        limiterTests(open)
    })
