package dev.ratelimit.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ratelimit.LocalKeyedRateLimiter;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.NanoClock;
import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spi.LocalRateLimitStore;
import dev.ratelimit.spi.RateLimitStore;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Java lets null through; each is refused by the name of its parameter, and nothing has changed. */
class JavaNullsTest {
    private static final RateLimit LIMIT = RateLimit.perSecond(10);
    private static final RateLimit NONE = null;
    private static final Duration NO_DURATION = null;

    private final MemoryStore store = new MemoryStore(() -> 0);
    private final RateLimitStore anyStore = store;
    private final LocalRateLimiter limiter = RateLimiters.create("nulls", store, LIMIT);

    @Test
    void aName() {
        assertNames("name", () -> RateLimiters.create(null, LIMIT));
        assertNames("name", () -> RateLimiters.create(null, store, LIMIT));
        assertNames("name", () -> RateLimiters.create(null, anyStore, LIMIT));
        assertNames("name", () -> RateLimiters.inMemory(null, LIMIT));
        assertNames("name", () -> RateLimiters.keyed(null, LIMIT));
        assertNames("name", () -> RateLimiters.keyed(null, store, LIMIT));
        assertNames("name", () -> RateLimiters.keyed(null, anyStore, LIMIT));
        assertNames("name", () -> RateLimiters.builder(null));
    }

    @Test
    void limits() {
        RateLimit[] noArray = null;
        assertNames("limits", () -> RateLimiters.create("x", noArray));
        assertNames("limits", () -> RateLimiters.keyed("x", store, noArray));
        assertNames("limits", () -> RateLimiters.builder("x").limits(noArray));
        assertNames("limits", () -> limiter.setLimits(noArray));
        assertNames("limits", () -> limiter.setLimits((List<RateLimit>) null));
        assertUnchanged();
    }

    @Test
    void oneOfTheLimits() {
        assertNames("limit 2 of 2 is null", () -> RateLimiters.create("x", LIMIT, NONE));
        assertNames("limit 1 of 1 is null", () -> RateLimiters.create("x", store, NONE));
        assertNames("limit 1 of 2 is null", () -> RateLimiters.create("x", anyStore, NONE, LIMIT));
        assertNames("limit 1 of 1 is null", () -> RateLimiters.keyed("x", NONE));
        assertNames(
                "limit 2 of 2 is null",
                () -> RateLimiters.builder("x").limits(LIMIT, NONE).build());
        assertNames("limit 2 of 2 is null", () -> limiter.setLimits(LIMIT, NONE));
        assertNames("limit 1 of 1 is null", () -> limiter.setLimits(NONE));
        assertNames("limit 2 of 2 is null", () -> limiter.setLimits(Arrays.asList(LIMIT, NONE)));
        assertUnchanged();
        LocalKeyedRateLimiter<String> keyed = RateLimiters.keyed("k", LIMIT);
        assertNames("limit 2 of 2 is null", () -> keyed.setLimits(LIMIT, NONE));
        assertEquals(List.of(LIMIT), keyed.limits());
    }

    @Test
    void aStore() {
        LocalRateLimitStore noLocal = null;
        RateLimitStore none = null;
        assertNames("store", () -> RateLimiters.create("x", noLocal, LIMIT));
        assertNames("store", () -> RateLimiters.create("x", none, LIMIT));
        assertNames("store", () -> RateLimiters.keyed("x", noLocal, LIMIT));
        assertNames("store", () -> RateLimiters.keyed("x", none, LIMIT));
        RateLimiterBuilder builder = RateLimiters.builder("x").limits(LIMIT);
        assertNames("store", () -> builder.build(noLocal));
        assertNames("store", () -> builder.build(none));
        assertNames("store", () -> builder.keyed(noLocal));
        assertNames("store", () -> builder.keyed(none));
        assertNames("clock", () -> new MemoryStore((NanoClock) null));
    }

    @Test
    void aDuration() {
        for (RateLimiter each : List.of(limiter, RateLimiters.create("nulls", anyStore, LIMIT))) {
            assertNames("maxWait", () -> each.acquireAsync(NO_DURATION));
            assertNames("maxWait", () -> each.acquireAsync(1, NO_DURATION));
            assertNames("maxWait", () -> each.tryAcquireAsync(1, NO_DURATION));
            assertNames("maxWait", () -> each.acquireBlocking(NO_DURATION));
            assertNames("maxWait", () -> each.acquireBlocking(1, NO_DURATION));
            assertNames("maxWait", () -> each.tryAcquireBlocking(1, NO_DURATION));
        }
        assertUnchanged();
    }

    @Test
    void aKey() {
        LocalKeyedRateLimiter<String> local = RateLimiters.keyed("k", store, LIMIT);
        assertNames("key", () -> local.get(null));
        assertNames(
                "key", () -> RateLimiters.<String>keyed("k", anyStore, LIMIT).get(null));
        assertEquals(0, store.getSize());
    }

    @Test
    void aPartOfADecorationOrABuilder() {
        assertNames("limiter", () -> RateLimiters.decorate(null, () -> 1));
        assertNames("task", () -> RateLimiters.decorate(limiter, null));
        assertNames("limiter", () -> RateLimiters.decorateAsync(null, () -> null));
        assertNames("task", () -> RateLimiters.decorateAsync(limiter, null));
        assertNames("listener", () -> RateLimiters.builder("x").listener(null));
        assertNames("executor", () -> RateLimiters.builder("x").executor(null));
        assertUnchanged();
    }

    @Test
    void anythingAskedOfARegistry() {
        RateLimiterRegistry registry = new RateLimiterRegistry(store);
        assertNames("name", () -> registry.limiter(null, LIMIT));
        assertNames("name", () -> registry.tighten(null, LIMIT));
        assertNames("name", () -> registry.find(null));
        assertNames("name", () -> registry.remove(null));
        assertNames("limit 1 of 1 is null", () -> registry.limiter("x", NONE));
        assertNames("limit 2 of 2 is null", () -> registry.tighten("x", LIMIT, NONE));
        assertEquals(Set.of(), registry.getNames());
        registry.limiter("x", LIMIT);
        assertNames("limit 1 of 1 is null", () -> registry.tighten("x", NONE));
        assertEquals(List.of(LIMIT), registry.limiter("x", LIMIT).limits());
    }

    private void assertUnchanged() {
        assertEquals(List.of(LIMIT), limiter.limits());
        assertEquals(10, limiter.peek().remaining());
    }

    private static void assertNames(String parameter, Executable call) {
        String message = assertThrows(NullPointerException.class, call).getMessage();
        assertTrue(
                message != null && message.endsWith(parameter), () -> "'" + message + "' does not name " + parameter);
    }
}
