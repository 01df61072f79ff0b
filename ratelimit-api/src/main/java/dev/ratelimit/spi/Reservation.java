package dev.ratelimit.spi;

import dev.ratelimit.RateLimitResult;
import java.util.Objects;

/** Turns that a store has granted ahead of time. An immutable value. */
public final class Reservation {

    private final RateLimitResult result;
    private final long[] waits;

    private Reservation(RateLimitResult result, long[] waits) {
        this.result = Objects.requireNonNull(result, "result");
        this.waits = waits;
    }

    /**
     * For stores: turns, or none and why.
     *
     * @param result a grant, or the refusal if there is no turn
     * @param waits nanoseconds from now until each turn, in order
     */
    public static Reservation of(RateLimitResult result, long... waits) {
        if (result.isAllowed() != waits.length > 0) {
            throw new IllegalArgumentException(waits.length + " turns do not go with a result that is " + result);
        }
        return new Reservation(result, waits.clone());
    }

    /** The grant, or why there is no turn, and how long to wait before asking again. */
    public RateLimitResult result() {
        return result;
    }

    /** How many turns were granted. */
    public int turns() {
        return waits.length;
    }

    /** Nanoseconds from the moment of the answer until a turn; the first turn has the number 0. */
    public long waitNanos(int turn) {
        return waits[turn];
    }

    @Override
    public String toString() {
        return turns() + " turns, " + result;
    }
}
