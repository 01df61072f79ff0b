package dev.ratelimit;

/**
 * Where a store in this process takes its time from. One method, so that a test passes a lambda:
 * {@code new MemoryStore(() -> scheduler.getCurrentTime() * 1_000_000)}.
 *
 * <p>Implementations must be thread-safe and should never step back; where one does, no permit is minted, and calls are
 * refused until the clock has caught up.
 */
@FunctionalInterface
public interface NanoClock {

    /**
     * The time now in nanoseconds. Only differences count, except for the two window algorithms, whose windows are aligned to
     * multiples of the period since the clock's zero. May wrap around.
     */
    long nanoTime();

    /**
     * The clock of this process: monotonic like {@link System#nanoTime()}, and counted from the Unix epoch (as the system's
     * clock stood when this class was loaded), so that fixed windows of a minute begin with the minute.
     */
    static NanoClock system() {
        return SystemNanoClock.INSTANCE;
    }
}
