package dev.ratelimit.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RegistryTest {
    private static final RateLimit TEN = RateLimit.perSecond(10);

    private final MemoryStore store = new MemoryStore(() -> 0);
    private final RateLimiterRegistry registry = new RateLimiterRegistry(store);

    @Test
    void theSameNameIsTheSameLimiter() {
        LocalRateLimiter limiter = registry.limiter("sec.gov", TEN);
        assertSame(limiter, registry.limiter("sec.gov", TEN));
        assertSame(limiter, registry.tighten("sec.gov", TEN));
        assertSame(limiter, registry.find("sec.gov"));
        assertNotSame(limiter, registry.limiter("data.sec.gov", TEN));
        assertEquals(Set.of("sec.gov", "data.sec.gov"), registry.getNames());
        assertNull(registry.find("SEC.gov"));
    }

    @Test
    void otherLimitsAreRefusedAndTheMessageSaysWhatToDo() {
        LocalRateLimiter limiter = registry.limiter("sec.gov", TEN);
        IllegalArgumentException refused = assertThrows(
                IllegalArgumentException.class, () -> registry.limiter("sec.gov", RateLimit.perSecond(20)));
        assertEquals(
                "limiter 'sec.gov' has the limits [10/1s], not [20/1s]; ask for the same ones,"
                        + " or use tighten to let the strictest win, or setLimits to change them",
                refused.getMessage());
        assertThrows(IllegalArgumentException.class, () -> registry.limiter("sec.gov"));
        assertEquals(List.of(TEN), limiter.limits());
    }

    @Test
    void aLimiterThatCannotBeBuiltIsNotRegistered() {
        assertThrows(IllegalArgumentException.class, () -> registry.limiter("none"));
        assertThrows(IllegalArgumentException.class, () -> registry.tighten("none"));
        assertThrows(IllegalArgumentException.class, () -> registry.limiter(" ", TEN));
        assertEquals(Set.of(), registry.getNames());
    }

    @Test
    void aRemovedLimiterGoesOnAndTheNextOneSharesItsBucket() {
        LocalRateLimiter old = registry.limiter("sec.gov", TEN);
        old.tryAcquire(4);
        assertTrue(registry.remove("sec.gov"));
        assertFalse(registry.remove("sec.gov"));
        assertNull(registry.find("sec.gov"));
        LocalRateLimiter next = registry.limiter("sec.gov", TEN);
        assertNotSame(old, next);
        assertEquals(6, next.peek().remaining());
        assertTrue(old.tryAcquire(6).isAllowed());
        assertFalse(next.tryAcquire().isAllowed());
    }

    @Test
    void namesAreACopy() {
        registry.limiter("sec.gov", TEN);
        Set<String> names = registry.getNames();
        registry.limiter("data.sec.gov", TEN);
        assertEquals(Set.of("sec.gov"), names);
    }

    @Test
    void threadsThatAskAtTheSameTimeGetTheSameLimiter() throws Exception {
        int threads = 8;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            for (int round = 0; round < 50; round++) {
                String name = "limiter " + round;
                CyclicBarrier together = new CyclicBarrier(threads);
                Callable<LocalRateLimiter> ask = () -> {
                    together.await(Waiters.PATIENCE_SECONDS, TimeUnit.SECONDS);
                    return registry.limiter(name, TEN);
                };
                Set<LocalRateLimiter> limiters = Collections.newSetFromMap(new IdentityHashMap<>());
                for (Future<LocalRateLimiter> each :
                        pool.invokeAll(new ArrayList<>(Collections.nCopies(threads, ask)))) {
                    limiters.add(each.get());
                }
                assertEquals(1, limiters.size());
            }
        } finally {
            pool.shutdownNow();
        }
    }
}
