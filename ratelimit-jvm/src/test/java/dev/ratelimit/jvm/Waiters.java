package dev.ratelimit.jvm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ratelimit.RateLimitListener;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Tells a test that callers stand in line. Waits here are bounded only so that a fault ends a test; none of the bounds is an
 * assertion about speed.
 */
final class Waiters implements RateLimitListener {
    static final long PATIENCE_SECONDS = 60;

    private final Semaphore arrived = new Semaphore(0);

    @Override
    public void onWait(String limiter, Object key, long permits, Duration expected) {
        arrived.release();
    }

    /** Returns when {@code count} more callers are about to wait. */
    void await(int count) throws InterruptedException {
        assertTrue(arrived.tryAcquire(count, PATIENCE_SECONDS, TimeUnit.SECONDS), "nobody came to wait");
    }

    /** Returns when the thread, which has told that it is about to wait, has taken its place and is parked. */
    void awaitParked(Thread thread) throws InterruptedException {
        await(1);
        eventually(thread + " is parked", () -> {
            Thread.State state = thread.getState();
            return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING;
        });
    }

    static void eventually(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadline < 0, () -> "waited in vain until " + what);
            Thread.yield();
        }
    }

    static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
}
