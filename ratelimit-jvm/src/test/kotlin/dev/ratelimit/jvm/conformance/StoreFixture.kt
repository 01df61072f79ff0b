package dev.ratelimit.jvm.conformance

import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/**
 * A store that nobody has used yet, with its time in the hands of the test. This is all that [RateLimitStoreConformance] wants to
 * know of a store; closing it closes the store.
 *
 * Time stands still between two calls of [advance]. A store on a server's clock passes the kit by an instant that the test
 * sends along, or by whatever else it has.
 */
public interface StoreFixture : AutoCloseable {
    /** The store under test. Keys that earlier fixtures used must be as new. */
    public val store: RateLimitStore

    /** The finest step of time that the store tells apart; what the kit waits for is a multiple of it. */
    public val resolution: Duration get() = 1.nanoseconds

    /** Whether the store answers at once, so that the kit also asks it by instants. */
    public val isLocal: Boolean get() = store is LocalRateLimitStore

    /** Moves the time of the store forward; [time] is a multiple of [resolution], or zero. */
    public fun advance(time: Duration)

    override fun close() {
        store.close()
    }
}
