package dev.ratelimit;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RateLimitTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void eachFactoryBuildsWhatItsNameSays() {
        assertParts(
                RateLimit.tokenBucket(7, Duration.ofSeconds(3)), Algorithm.TOKEN_BUCKET, 7, Duration.ofSeconds(3), 7);
        assertParts(RateLimit.leakyBucket(10, SECOND, 100), Algorithm.LEAKY_BUCKET, 10, SECOND, 100);
        assertParts(RateLimit.leakyBucket(10, SECOND, 1), Algorithm.LEAKY_BUCKET, 10, SECOND, 1);
        assertParts(
                RateLimit.fixedWindow(5, Duration.ofMinutes(5)), Algorithm.FIXED_WINDOW, 5, Duration.ofMinutes(5), 5);
        assertParts(RateLimit.slidingWindow(6, SECOND), Algorithm.SLIDING_WINDOW, 6, SECOND, 6);
        assertParts(RateLimit.slidingLog(8, Duration.ofHours(1)), Algorithm.SLIDING_LOG, 8, Duration.ofHours(1), 8);
        assertParts(RateLimit.every(Duration.ofMillis(250)), Algorithm.TOKEN_BUCKET, 1, Duration.ofMillis(250), 1);
        assertParts(RateLimit.perSecond(10), Algorithm.TOKEN_BUCKET, 10, SECOND, 10);
        assertParts(RateLimit.perMinute(60), Algorithm.TOKEN_BUCKET, 60, Duration.ofMinutes(1), 60);
        assertParts(RateLimit.perHour(1_000), Algorithm.TOKEN_BUCKET, 1_000, Duration.ofHours(1), 1_000);
        assertParts(RateLimit.perDay(4), Algorithm.TOKEN_BUCKET, 4, Duration.ofDays(1), 4);
    }

    @Test
    void theLeastAndTheGreatestNumbersAreLimits() {
        RateLimit greatest = RateLimit.tokenBucket(Long.MAX_VALUE, Duration.ofSeconds(Long.MAX_VALUE, 999_999_999));
        assertEquals(Long.MAX_VALUE, greatest.permits());
        assertEquals(
                Long.MAX_VALUE, RateLimit.perSecond(1).withBurst(Long.MAX_VALUE).burst());
        assertEquals(1, RateLimit.every(Duration.ofNanos(1)).permits());
        assertEquals(
                RateLimit.MAX_SLIDING_LOG_PERMITS,
                RateLimit.slidingLog(RateLimit.MAX_SLIDING_LOG_PERMITS, SECOND).burst());
    }

    @Test
    void withBurstChangesTheBurstAndNothingElse() {
        RateLimit limit = RateLimit.perMinute(60);
        assertParts(limit.withBurst(90), Algorithm.TOKEN_BUCKET, 60, Duration.ofMinutes(1), 90);
        assertParts(limit.withBurst(1), Algorithm.TOKEN_BUCKET, 60, Duration.ofMinutes(1), 1);
        assertParts(RateLimit.leakyBucket(1, SECOND, 2).withBurst(3), Algorithm.LEAKY_BUCKET, 1, SECOND, 3);
        assertEquals(60, limit.burst());
    }

    @Test
    void aWindowTakesItsOwnPermitsAsBurst() {
        for (RateLimit window : List.of(
                RateLimit.fixedWindow(5, SECOND),
                RateLimit.slidingWindow(5, SECOND),
                RateLimit.slidingLog(5, SECOND))) {
            assertEquals(window, window.withBurst(5));
        }
    }

    @Test
    void equalMeansEveryPartIsEqual() {
        RateLimit limit = RateLimit.tokenBucket(60, Duration.ofMinutes(1)).withBurst(90);
        RateLimit same = RateLimit.perMinute(60).withBurst(90);
        assertEquals(limit, same);
        assertEquals(limit.hashCode(), same.hashCode());
        assertEquals(RateLimit.tokenBucket(1, Duration.ofSeconds(60)), RateLimit.every(Duration.ofMinutes(1)));
        Set<RateLimit> different = new HashSet<>(List.of(
                limit,
                limit.withBurst(91),
                RateLimit.perMinute(61).withBurst(90),
                RateLimit.perHour(60).withBurst(90),
                RateLimit.leakyBucket(60, Duration.ofMinutes(1), 90),
                RateLimit.fixedWindow(60, Duration.ofMinutes(1)),
                RateLimit.slidingWindow(60, Duration.ofMinutes(1)),
                RateLimit.slidingLog(60, Duration.ofMinutes(1))));
        assertEquals(8, different.size());
        assertNotEquals(limit, null);
        assertNotEquals(limit, (Object) limit.toString());
    }

    @Test
    void theSameRateWrittenDifferentlyIsAnotherValue() {
        assertNotEquals(RateLimit.perSecond(1), RateLimit.perMinute(60));
    }

    @Test
    void checkPermitsLetsThroughWhatCanBeGranted() {
        RateLimit limit = RateLimit.perSecond(10).withBurst(15);
        assertDoesNotThrow(() -> limit.checkPermits(1));
        assertDoesNotThrow(() -> limit.checkPermits(15));
        RateLimit boundless = RateLimit.perSecond(10).withBurst(Long.MAX_VALUE);
        assertDoesNotThrow(() -> boundless.checkPermits(Long.MAX_VALUE));
        for (long never : new long[] {16, 0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> limit.checkPermits(never));
        }
    }

    private static void assertParts(RateLimit limit, Algorithm algorithm, long permits, Duration period, long burst) {
        assertEquals(algorithm, limit.algorithm());
        assertEquals(permits, limit.permits());
        assertEquals(period, limit.period());
        assertEquals(burst, limit.burst());
    }
}
