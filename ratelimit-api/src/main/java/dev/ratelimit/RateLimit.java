package dev.ratelimit;

import java.math.BigInteger;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How many permits in how much time, counted how: one immutable value. Built by a factory method, or read from text:
 *
 * <pre>{@code
 * RateLimit.perSecond(10)                                    // "10/1s"
 * RateLimit.perMinute(60).withBurst(90)                      // "60/1m burst 90"
 * RateLimit.fixedWindow(5, Duration.ofMinutes(5))            // "5/5m fixed-window"
 * RateLimit.leakyBucket(10, Duration.ofSeconds(1), 100)      // "10/1s leaky-bucket burst 100"
 * }</pre>
 *
 * <p>Numbers that cannot be a limit (zero, negative, NaN, infinite, too large) are refused when the value is built, with an
 * {@link IllegalArgumentException} that names the number and says what to write instead.
 */
public final class RateLimit {

    /** The most permits of a sliding log, which remembers each grant for one period. */
    public static final long MAX_SLIDING_LOG_PERMITS = 10_000_000;

    private final Algorithm algorithm;
    private final long permits;
    private final Duration period;
    private final long burst;

    private RateLimit(Algorithm algorithm, long permits, Duration period, long burst) {
        this.algorithm = algorithm;
        this.permits = permits;
        this.period = period;
        this.burst = burst;
    }

    /** Starts full at {@code permits}, refills {@code permits} per {@code period}, continuously. See {@link #withBurst}. */
    public static RateLimit tokenBucket(long permits, Duration period) {
        return of(Algorithm.TOKEN_BUCKET, permits, period, permits);
    }

    /**
     * Lets calls through one after another at an even pace of {@code permits} per {@code period}; up to {@code capacity} permits
     * wait for their turn, more are refused.
     */
    public static RateLimit leakyBucket(long permits, Duration period, long capacity) {
        return of(Algorithm.LEAKY_BUCKET, permits, period, capacity);
    }

    /** At most {@code permits} in each window; windows are aligned to multiples of {@code period} since the clock's epoch. */
    public static RateLimit fixedWindow(long permits, Duration period) {
        return of(Algorithm.FIXED_WINDOW, permits, period, permits);
    }

    /** At most {@code permits} in the current window plus the weighted share of the previous one. */
    public static RateLimit slidingWindow(long permits, Duration period) {
        return of(Algorithm.SLIDING_WINDOW, permits, period, permits);
    }

    /** At most {@code permits} in any half-open window of one {@code period}, wherever it starts. */
    public static RateLimit slidingLog(long permits, Duration period) {
        return of(Algorithm.SLIDING_LOG, permits, period, permits);
    }

    /** One permit each {@code period}: a token bucket without a burst. */
    public static RateLimit every(Duration period) {
        return tokenBucket(1, period);
    }

    /**
     * A token bucket of {@code rate} permits a second. Fractions are meant: {@code perSecond(0.5)} is one permit every two
     * seconds, {@code perSecond(100.0 / 3)} is a hundred every three. A rate whose fraction does not fit into 64 bits is rounded
     * down by a billionth at most. The burst is the rate rounded down, at least 1.
     */
    public static RateLimit perSecond(double rate) {
        return perUnit(rate, Duration.ofSeconds(1), "perSecond");
    }

    /** A token bucket of {@code rate} permits a minute; fractions as with {@link #perSecond}. */
    public static RateLimit perMinute(double rate) {
        return perUnit(rate, Duration.ofMinutes(1), "perMinute");
    }

    /** A token bucket of {@code rate} permits an hour; fractions as with {@link #perSecond}. */
    public static RateLimit perHour(double rate) {
        return perUnit(rate, Duration.ofHours(1), "perHour");
    }

    /** A token bucket of {@code rate} permits in 24 hours; fractions as with {@link #perSecond}. */
    public static RateLimit perDay(double rate) {
        return perUnit(rate, Duration.ofDays(1), "perDay");
    }

    /**
     * Reads what {@link #toString()} writes, and its short forms: {@code "10/s"}, {@code "100/1m burst 150"},
     * {@code "0.5/s"}, {@code "5/5m fixed-window"}, {@code "1000/1h30m sliding-log"}. Units are {@code ns}, {@code us},
     * {@code ms}, {@code s}, {@code m}, {@code h} and {@code d}, or their English names.
     *
     * @throws IllegalArgumentException when the text is not a limit; the message names the part and shows what to write
     */
    public static RateLimit parse(String text) {
        return RateLimitText.parse(Objects.requireNonNull(text, "text"));
    }

    /**
     * The same limit with another burst: the most permits that a token bucket can hold and grant at once, or the capacity of a
     * leaky bucket.
     *
     * @throws IllegalArgumentException when the burst is below 1, or the algorithm has none (windows admit their permits)
     */
    public RateLimit withBurst(long newBurst) {
        if (!hasBurst() && newBurst != permits) {
            throw new IllegalArgumentException(
                    "burst " + newBurst + " does not fit a " + algorithm + ", which admits its "
                            + permits + " permits in each " + RateLimitText.format(period)
                            + "; leave the burst out, or use RateLimit.tokenBucket");
        }
        return of(algorithm, permits, period, newBurst);
    }

    /** How permits are counted. */
    public Algorithm algorithm() {
        return algorithm;
    }

    /** How many permits each {@link #period()} brings; at least 1. */
    public long permits() {
        return permits;
    }

    /** The time that brings {@link #permits()}; above zero. */
    public Duration period() {
        return period;
    }

    /** The most permits that one call can ever be granted; at least 1. For windows and logs, {@link #permits()}. */
    public long burst() {
        return burst;
    }

    /**
     * Refuses numbers of permits that this limit can never grant.
     *
     * @throws IllegalArgumentException when {@code asked} is below 1 or above {@link #burst()}
     */
    public void checkPermits(long asked) {
        if (asked < 1 || asked > burst) {
            throw never(asked);
        }
    }

    private IllegalArgumentException never(long asked) {
        return new IllegalArgumentException(
                asked < 1
                        ? "permits " + asked + " is not positive; ask for 1 or more"
                        : "permits " + asked + " can never be granted by " + this + "; ask for at most " + burst
                                + (hasBurst() ? ", or raise the limit's burst with withBurst(" + asked + ")" : ""));
    }

    boolean hasBurst() {
        return algorithm == Algorithm.TOKEN_BUCKET || algorithm == Algorithm.LEAKY_BUCKET;
    }

    static RateLimit of(Algorithm algorithm, long permits, Duration period, long burst) {
        Objects.requireNonNull(period, "period");
        if (permits < 1) {
            throw new IllegalArgumentException(
                    "permits " + permits + " is not positive; a limit grants 1 or more in a period");
        }
        if (period.isNegative() || period.isZero()) {
            throw new IllegalArgumentException("period " + period + " is not positive; write 1 ns or more");
        }
        if (burst < 1) {
            throw new IllegalArgumentException(
                    "burst " + burst + " is not positive; with less than 1 nothing would ever be granted");
        }
        if (algorithm == Algorithm.SLIDING_LOG && permits > MAX_SLIDING_LOG_PERMITS) {
            throw new IllegalArgumentException(
                    "permits " + permits + " is too much for a sliding-log, which remembers each grant;"
                            + " write at most " + MAX_SLIDING_LOG_PERMITS + ", or use RateLimit.slidingWindow");
        }
        return new RateLimit(algorithm, permits, period, burst);
    }

    private static RateLimit perUnit(double rate, Duration unit, String factory) {
        if (!(rate > 0) || rate == Double.POSITIVE_INFINITY) {
            throw new IllegalArgumentException("rate " + rate + " is not a positive number; write for example "
                    + factory + "(10) or " + factory + "(0.5)");
        }
        BigInteger[] fraction = RateLimitText.countable(SimplestFraction.of(rate), BigInteger.valueOf(unit.toNanos()));
        try {
            long permits = fraction[0].longValueExact();
            Duration period = unit.multipliedBy(fraction[1].longValueExact());
            long burst = Math.max(1, fraction[0].divide(fraction[1]).longValueExact());
            return of(Algorithm.TOKEN_BUCKET, permits, period, burst);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "rate " + rate + " is too " + (rate < 1 ? "small" : "large") + " to count in 64 bits; write "
                            + (rate < 1 ? "1e-10 or more" : "9e18 or less"),
                    e);
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof RateLimit that
                        && algorithm == that.algorithm
                        && permits == that.permits
                        && burst == that.burst
                        && period.equals(that.period));
    }

    @Override
    public int hashCode() {
        return ((algorithm.hashCode() * 31 + Long.hashCode(permits)) * 31 + Long.hashCode(burst)) * 31
                + period.hashCode();
    }

    /** The limit as {@link #parse} reads it, such as {@code 100/1m burst 150}. */
    @Override
    public String toString() {
        return RateLimitText.format(this);
    }
}
