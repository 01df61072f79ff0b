package dev.ratelimit;

import dev.ratelimit.spi.Reading;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a limiter answered to one call. An immutable value; in Kotlin the durations are also properties of Kotlin's own type.
 */
public final class RateLimitResult {

    private final RateLimit limit;
    private final @Nullable Refusal refusal;
    /** Works the numbers out when somebody asks for them; {@code null} where the fields below are the numbers. */
    private final @Nullable Reading reading;
    /** Or the state that {@link #reading} reads. */
    private final long remaining;
    /** Or the permits that were asked for. */
    private final long retryAfterNanos;
    /** Or the instant of the answer. */
    private final long resetAfterNanos;
    /** Of a refusal with a {@link #reading}, the bound of the delay. */
    private final long delayNanos;

    private RateLimitResult(
            RateLimit limit,
            @Nullable Refusal refusal,
            @Nullable Reading reading,
            long remaining,
            long retryAfterNanos,
            long resetAfterNanos,
            long delayNanos) {
        this.limit = Objects.requireNonNull(limit, "limit");
        this.refusal = refusal;
        this.reading = reading;
        this.remaining = remaining;
        this.retryAfterNanos = retryAfterNanos;
        this.resetAfterNanos = resetAfterNanos;
        this.delayNanos = delayNanos;
    }

    /** For stores: a call that was granted. Times are in nanoseconds and not negative. */
    public static RateLimitResult allowed(RateLimit limit, long remaining, long resetAfterNanos, long delayNanos) {
        return new RateLimitResult(limit, null, null, remaining, 0, resetAfterNanos, delayNanos);
    }

    /** For stores: a call that was refused and changed nothing. Times are in nanoseconds and not negative. */
    public static RateLimitResult denied(RateLimit limit, long remaining, long retryAfterNanos, long resetAfterNanos) {
        return new RateLimitResult(limit, Refusal.LIMIT, null, remaining, retryAfterNanos, resetAfterNanos, 0);
    }

    /**
     * For stores that want to do no more than decide: either answer, its numbers read out of {@code state} when they are asked for.
     *
     * @param state after a grant, or as it was found by a refused call
     * @param now the instant of the answer
     * @param delayNanos of a grant, the delay; of a refusal, the longest delay that was wanted
     */
    public static RateLimitResult decided(
            RateLimit limit, boolean allowed, Reading reading, long state, long now, long permits, long delayNanos) {
        return new RateLimitResult(limit, allowed ? null : Refusal.LIMIT, reading, state, permits, now, delayNanos);
    }

    /** The same answer for another reason, or after another wait: a line in front of the limit makes both longer. */
    public RateLimitResult refused(Refusal reason, long newRetryAfterNanos) {
        Objects.requireNonNull(reason, "reason");
        return new RateLimitResult(limit, reason, null, remaining(), newRetryAfterNanos, resetAfterNanos(), 0);
    }

    /** Whether the permits were granted. */
    public boolean isAllowed() {
        return refusal == null;
    }

    /** Why the call was refused; {@code null} when it was allowed. */
    public @Nullable Refusal refusal() {
        return refusal;
    }

    /**
     * The limit that decided: of a refusal, the one with the longest wait; of a grant, the one with the fewest permits left.
     */
    public RateLimit limit() {
        return limit;
    }

    /** The most permits that one call could be granted directly after this one; never negative. */
    public long remaining() {
        return reading == null ? remaining : reading.remaining(remaining, resetAfterNanos);
    }

    /** How long to wait until the same call can be granted if nobody else asks; zero when it was allowed. Rounded up. */
    public Duration retryAfter() {
        return Duration.ofNanos(retryAfterNanos());
    }

    /** {@link #retryAfter()} in nanoseconds; {@link Long#MAX_VALUE} stands for "292 years or more". */
    public long retryAfterNanos() {
        if (reading == null || refusal == null) {
            return refusal == null ? 0 : retryAfterNanos;
        }
        return reading.retryAfterNanos(remaining, resetAfterNanos, retryAfterNanos, delayNanos);
    }

    /** How long until the limit is as if it had never been used, if nobody asks again. Rounded up. */
    public Duration resetAfter() {
        return Duration.ofNanos(resetAfterNanos());
    }

    /** {@link #resetAfter()} in nanoseconds; {@link Long#MAX_VALUE} stands for "292 years or more". */
    public long resetAfterNanos() {
        return reading == null ? resetAfterNanos : reading.resetAfterNanos(remaining, resetAfterNanos);
    }

    /**
     * How long the caller has to wait before it uses the permits it was granted: the turn of a {@link Algorithm#LEAKY_BUCKET},
     * zero for the other algorithms. Calls named {@code acquire} have waited for it already and report zero.
     */
    public Duration delay() {
        return Duration.ofNanos(delayNanos());
    }

    /** {@link #delay()} in nanoseconds. */
    public long delayNanos() {
        return refusal == null ? delayNanos : 0;
    }

    /** This result when it is allowed, otherwise {@link RateLimitExceededException} carrying it. */
    public RateLimitResult orThrow() {
        if (refusal != null) {
            throw new RateLimitExceededException(this);
        }
        return this;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RateLimitResult that
                && limit.equals(that.limit)
                && refusal == that.refusal
                && remaining() == that.remaining()
                && retryAfterNanos() == that.retryAfterNanos()
                && resetAfterNanos() == that.resetAfterNanos()
                && delayNanos() == that.delayNanos();
    }

    @Override
    public int hashCode() {
        return Objects.hash(limit, refusal, remaining(), retryAfterNanos(), resetAfterNanos(), delayNanos());
    }

    @Override
    public String toString() {
        String numbers = ", remaining " + remaining() + ", reset after " + resetAfter();
        if (refusal == null) {
            return "allowed by " + limit + numbers + (delayNanos() == 0 ? "" : ", delay " + delay());
        }
        return "refused (" + refusal + ") by " + limit + ", retry after " + retryAfter() + numbers;
    }
}
