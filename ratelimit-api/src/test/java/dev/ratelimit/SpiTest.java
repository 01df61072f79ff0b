package dev.ratelimit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ratelimit.spi.Adjustment;
import dev.ratelimit.spi.BucketKey;
import dev.ratelimit.spi.Charge;
import dev.ratelimit.spi.LocalRateLimitStore;
import dev.ratelimit.spi.Tally;
import dev.ratelimit.spi.TallyEntry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What stores are handed, and what a local store need not write itself. */
class SpiTest {
    private static final RateLimit LIMIT = RateLimit.perSecond(10);
    private static final BucketKey KEY = new BucketKey("api", "alice", 0);
    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void bucketsAreToldApartByAllThreeParts() {
        assertEquals(KEY, new BucketKey("api", "alice", 0));
        assertEquals(KEY.hashCode(), new BucketKey("api", "alice", 0).hashCode());
        assertNotEquals(new BucketKey("a:b", "c", 0), new BucketKey("a", "b:c", 0));
        assertNotEquals(KEY, new BucketKey("api", "alice", 1));
        assertNotEquals(KEY, new BucketKey("api", null, 0));
        assertNull(new BucketKey("api", null, 0).key());
    }

    @Test
    void aBucketKeyChecksItsParts() {
        assertNames("limiter", () -> new BucketKey(null, "alice", 0));
        assertTeaches(() -> new BucketKey("api", "alice", -1), "slot -1 is negative", "0");
    }

    @Test
    void aChargeThatCanNeverBeGrantedIsNeverBuilt() {
        assertEquals(10, new Charge(KEY, LIMIT, 10).permits());
        assertTeaches(() -> new Charge(KEY, LIMIT, 11), "permits 11", "at most 10");
        assertTeaches(() -> new Charge(KEY, LIMIT, 0), "permits 0", "1 or more");
        assertTeaches(() -> new Charge(KEY, LIMIT, -1), "permits -1", "1 or more");
        assertNames("key", () -> new Charge(null, LIMIT, 1));
        assertNames("limit", () -> new Charge(KEY, null, 1));
    }

    @Test
    void anAdjustmentMayBeAnyNumberThatHasAnOpposite() {
        for (long permits : new long[] {0, 1, -1, 11, Long.MAX_VALUE, -Long.MAX_VALUE}) {
            assertEquals(permits, new Adjustment(KEY, LIMIT, permits).permits());
        }
        assertTeaches(
                () -> new Adjustment(KEY, LIMIT, Long.MIN_VALUE), "" + Long.MIN_VALUE, "at most " + Long.MAX_VALUE);
        assertNames("key", () -> new Adjustment(null, LIMIT, 1));
        assertNames("limit", () -> new Adjustment(KEY, null, 1));
    }

    @Test
    void aTallyEntryThatCannotBeCountedIsNeverBuilt() {
        Map<String, Long> one = Map.of("calls", 1L);
        TallyEntry entry = new TallyEntry("group", "me", 1, one, Map.of("longest", TallyEntry.MOST), SECOND);
        assertEquals(one, entry.sums());
        assertTeaches(() -> new TallyEntry("group", "me", 0, one, Map.of(), SECOND), "number 0", "the first is 1");
        assertTeaches(
                () -> new TallyEntry("group", "me", 1, Map.of("calls", -1L), Map.of(), SECOND), "-1 for 'calls'", "0");
        assertTeaches(
                () -> new TallyEntry("group", "me", 1, one, Map.of("longest", TallyEntry.MOST + 1), SECOND),
                "'longest'",
                "" + TallyEntry.MOST);
        assertTeaches(() -> new TallyEntry("group", "me", 1, one, one, SECOND), "'calls'", "leave one out");
        assertTeaches(
                () -> new TallyEntry("group", "me", 1, one, Map.of(), Duration.ofNanos(999_999)),
                "PT0.000999999S",
                "at least");
        assertNames("group", () -> new TallyEntry(null, "me", 1, one, Map.of(), SECOND));
        assertNames("writer", () -> new TallyEntry("group", null, 1, one, Map.of(), SECOND));
        assertNames("retention", () -> new TallyEntry("group", "me", 1, one, Map.of(), null));
    }

    @Test
    void aTallyAndItsEntryKeepWhatTheyWereGiven() {
        Map<String, Long> numbers = new HashMap<>(Map.of("calls", 1L));
        TallyEntry entry = new TallyEntry("group", "me", 1, numbers, Map.of(), SECOND);
        Tally tally = new Tally(numbers, numbers);
        numbers.put("calls", 2L);
        assertEquals(Map.of("calls", 1L), entry.sums());
        assertEquals(Map.of("calls", 1L), tally.numbers());
        assertEquals(Map.of("calls", 1L), tally.entries());
    }

    @Test
    void aLocalStoreAnswersItsFuturesByItsOwnClock() {
        FakeStore store = new FakeStore(null);
        assertTrue(get(store.tryAcquireAsync(List.of(new Charge(KEY, LIMIT, 1)), 77))
                .isAllowed());
        assertTrue(get(store.peekAsync(List.of(new Charge(KEY, LIMIT, 1)), 0)).isAllowed());
        assertNull(get(store.adjustAsync(List.of(new Adjustment(KEY, LIMIT, 1)))));
        assertNull(get(store.resetAsync(List.of(KEY))));
        store.close();
        assertEquals(List.of("tryAcquire at 42 within 77", "peek at 42 behind 0", "adjust", "reset"), store.calls);
    }

    @Test
    void anOutageOfALocalStoreFailsItsFutures() {
        RateLimitStoreException outage = new RateLimitStoreException("full disk", null);
        FakeStore store = new FakeStore(outage);
        List<Charge> charges = List.of(new Charge(KEY, LIMIT, 1));
        for (CompletionStage<?> answer : List.of(
                store.tryAcquireAsync(charges, 0),
                store.peekAsync(charges, 0),
                store.adjustAsync(List.of(new Adjustment(KEY, LIMIT, 1))),
                store.resetAsync(List.of(KEY)))) {
            assertSame(
                    outage,
                    assertThrows(CompletionException.class, () -> get(answer)).getCause());
        }
    }

    @Test
    void aListenerNeedsNoMethodOfItsOwn() {
        RateLimitListener listener = new RateLimitListener() {};
        listener.onWait("api", null, 1, java.time.Duration.ZERO);
        listener.onGrant("api", "alice", 1, java.time.Duration.ZERO);
        listener.onRefusal("api", "alice", 1, RateLimitResult.denied(LIMIT, 0, 1, 1));
        listener.onStoreFailure("api", "alice", new RateLimitStoreException("down", null));
    }

    private static <T> T get(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    private static void assertNames(String parameter, Executable call) {
        assertEquals(parameter, assertThrows(NullPointerException.class, call).getMessage());
    }

    private static void assertTeaches(Executable call, String... fragments) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        for (String fragment : fragments) {
            assertTrue(message.contains(fragment), message);
        }
    }

    private record FakeStore(List<String> calls, RateLimitStoreException outage) implements LocalRateLimitStore {
        FakeStore(RateLimitStoreException outage) {
            this(new ArrayList<>(), outage);
        }

        @Override
        public NanoClock clock() {
            return () -> 42;
        }

        @Override
        public RateLimitResult tryAcquire(List<Charge> charges, long at, long maxDelayNanos) {
            call("tryAcquire at " + at + " within " + maxDelayNanos);
            return RateLimitResult.allowed(LIMIT, 9, 1, 0);
        }

        @Override
        public RateLimitResult peek(List<Charge> charges, long at, long ahead) {
            call("peek at " + at + " behind " + ahead);
            return RateLimitResult.allowed(LIMIT, 9, 1, 0);
        }

        @Override
        public void adjust(List<Adjustment> adjustments) {
            call("adjust");
        }

        @Override
        public void reset(List<BucketKey> keys) {
            call("reset");
        }

        private void call(String name) {
            calls.add(name);
            if (outage != null) {
                throw outage;
            }
        }
    }
}
