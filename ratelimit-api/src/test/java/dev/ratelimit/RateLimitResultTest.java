package dev.ratelimit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ratelimit.spi.Reading;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RateLimitResultTest {
    private static final RateLimit LIMIT = RateLimit.perSecond(10);

    @Test
    void aGrantTellsWhatIsLeft() {
        RateLimitResult result = RateLimitResult.allowed(LIMIT, 7, 300_000_000, 5);
        assertTrue(result.isAllowed());
        assertNull(result.refusal());
        assertEquals(LIMIT, result.limit());
        assertEquals(7, result.remaining());
        assertEquals(Duration.ZERO, result.retryAfter());
        assertEquals(0, result.retryAfterNanos());
        assertEquals(Duration.ofMillis(300), result.resetAfter());
        assertEquals(300_000_000, result.resetAfterNanos());
        assertEquals(Duration.ofNanos(5), result.delay());
        assertEquals(5, result.delayNanos());
        assertSame(result, result.orThrow());
    }

    @Test
    void aRefusalTellsWhenToComeAgain() {
        RateLimitResult result = RateLimitResult.denied(LIMIT, 1, 50_000_001, 900_000_000);
        assertFalse(result.isAllowed());
        assertEquals(Refusal.LIMIT, result.refusal());
        assertEquals(1, result.remaining());
        assertEquals(Duration.ofNanos(50_000_001), result.retryAfter());
        assertEquals(50_000_001, result.retryAfterNanos());
        assertEquals(Duration.ofMillis(900), result.resetAfter());
        assertEquals(Duration.ZERO, result.delay());
    }

    @Test
    void aDecisionReadsItsNumbersOutOfTheState() {
        RateLimitResult grant = RateLimitResult.decided(LIMIT, true, SUMS, 40, 3, 2, 7);
        assertEquals(RateLimitResult.allowed(LIMIT, 43, 4_003, 7), grant);
        assertEquals(RateLimitResult.allowed(LIMIT, 43, 4_003, 7).toString(), grant.toString());
        assertEquals(0, grant.retryAfterNanos());

        RateLimitResult refusal = RateLimitResult.decided(LIMIT, false, SUMS, 40, 3, 2, 7);
        assertEquals(RateLimitResult.denied(LIMIT, 43, 40_327, 4_003), refusal);
        assertEquals(RateLimitResult.denied(LIMIT, 43, 40_327, 4_003).hashCode(), refusal.hashCode());
        assertEquals(Duration.ZERO, refusal.delay());
        assertEquals(
                RateLimitResult.denied(LIMIT, 43, 40_327, 4_003).refused(Refusal.MAX_WAIT, 9),
                refusal.refused(Refusal.MAX_WAIT, 9));
    }

    /** Tells apart what it was given: every number is another sum. */
    private static final Reading SUMS = new Reading() {
        @Override
        public long remaining(long state, long now) {
            return state + now;
        }

        @Override
        public long retryAfterNanos(long state, long now, long permits, long maxDelayNanos) {
            return 1_000 * state + 100 * now + 10 * permits + maxDelayNanos;
        }

        @Override
        public long resetAfterNanos(long state, long now) {
            return 100 * state + now;
        }
    };

    @Test
    void aRefusalThrowsItself() {
        RateLimitResult result = RateLimitResult.denied(LIMIT, 1, 50_000_000, 900_000_000);
        RateLimitExceededException thrown = assertThrows(RateLimitExceededException.class, result::orThrow);
        assertSame(result, thrown.getResult());
        assertEquals("rate limit exceeded: " + result, thrown.getMessage());
    }

    @Test
    void anotherReasonOrWaitKeepsTheRest() {
        RateLimitResult denied = RateLimitResult.denied(LIMIT, 1, 50, 900);
        RateLimitResult refused = denied.refused(Refusal.LINE_FULL, 70);
        assertEquals(Refusal.LINE_FULL, refused.refusal());
        assertEquals(70, refused.retryAfterNanos());
        assertEquals(
                List.of(1L, 900L, 0L), List.of(refused.remaining(), refused.resetAfterNanos(), refused.delayNanos()));
        assertEquals(Refusal.LIMIT, denied.refusal());
        RateLimitResult turnedDown = RateLimitResult.allowed(LIMIT, 3, 4, 5).refused(Refusal.MAX_WAIT, 6);
        assertFalse(turnedDown.isAllowed());
        assertEquals(0, turnedDown.delayNanos());
    }

    @Test
    void equalMeansEveryPartIsEqual() {
        RateLimitResult denied = RateLimitResult.denied(LIMIT, 1, 50, 900);
        assertEquals(denied, RateLimitResult.denied(RateLimit.perSecond(10), 1, 50, 900));
        assertEquals(
                denied.hashCode(), RateLimitResult.denied(LIMIT, 1, 50, 900).hashCode());
        Set<RateLimitResult> different = new HashSet<>(List.of(
                denied,
                RateLimitResult.denied(RateLimit.perSecond(11), 1, 50, 900),
                RateLimitResult.denied(LIMIT, 2, 50, 900),
                RateLimitResult.denied(LIMIT, 1, 51, 900),
                RateLimitResult.denied(LIMIT, 1, 50, 901),
                denied.refused(Refusal.MAX_WAIT, 50),
                RateLimitResult.allowed(LIMIT, 1, 900, 0),
                RateLimitResult.allowed(LIMIT, 1, 900, 1)));
        assertEquals(8, different.size());
        assertNotEquals(denied, null);
        assertNotEquals(denied, (Object) denied.toString());
    }

    @Test
    void aPersonCanReadIt() {
        assertEquals(
                "allowed by 10/1s, remaining 7, reset after PT0.3S",
                RateLimitResult.allowed(LIMIT, 7, 300_000_000, 0).toString());
        assertEquals(
                "allowed by 10/1s, remaining 7, reset after PT0.3S, delay PT0.1S",
                RateLimitResult.allowed(LIMIT, 7, 300_000_000, 100_000_000).toString());
        assertEquals(
                "refused (LINE_FULL) by 10/1s, retry after PT2S, remaining 0, reset after PT1S",
                RateLimitResult.denied(LIMIT, 0, 1, 1_000_000_000)
                        .refused(Refusal.LINE_FULL, 2_000_000_000)
                        .toString());
    }

    @Test
    void aWaitWithoutEndStaysPositive() {
        RateLimitResult result = RateLimitResult.denied(LIMIT, 0, Long.MAX_VALUE, Long.MAX_VALUE);
        assertEquals(Duration.ofNanos(Long.MAX_VALUE), result.retryAfter());
        assertFalse(result.resetAfter().isNegative());
    }

    @Test
    void nullIsRefusedByName() {
        assertNames("limit", () -> RateLimitResult.allowed(null, 1, 1, 0));
        assertNames("limit", () -> RateLimitResult.denied(null, 1, 1, 1));
        assertNames("reason", () -> RateLimitResult.denied(LIMIT, 1, 1, 1).refused(null, 1));
        assertNames("result", () -> new RateLimitExceededException(null));
    }

    @Test
    void anOutageTellsItsCauseAndIsNoRefusal() {
        IllegalStateException cause = new IllegalStateException("down");
        RateLimitStoreException outage = new RateLimitStoreException("cannot ask", cause);
        assertEquals("cannot ask", outage.getMessage());
        assertSame(cause, outage.getCause());
        assertNull(new RateLimitStoreException("cannot ask", null).getCause());
        assertFalse(RateLimitExceededException.class.isInstance((Object) outage));
    }

    private static void assertNames(String parameter, org.junit.jupiter.api.function.Executable call) {
        assertEquals(parameter, assertThrows(NullPointerException.class, call).getMessage());
    }
}
