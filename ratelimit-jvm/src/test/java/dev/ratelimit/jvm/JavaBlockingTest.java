package dev.ratelimit.jvm;

import static dev.ratelimit.jvm.Waiters.get;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Threads that wait. Time stands still; {@code reset} and {@code settle} bring permits. */
class JavaBlockingTest {
    private final Waiters waiters = new Waiters();
    private final LocalRateLimiter limiter = RateLimiters.builder("threads")
            .limits(RateLimit.every(Duration.ofHours(1)))
            .listener(waiters)
            .build(new MemoryStore(() -> 0));

    @Test
    void anInterruptBeforeAskingChargesNothing() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, limiter::acquireBlocking);
        assertFalse(Thread.interrupted());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> limiter.acquireBlocking(Duration.ZERO));
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> limiter.tryAcquireBlocking(1, Duration.ofDays(1)));
        assertFalse(Thread.interrupted());
        assertEquals(1, limiter.peek().remaining());
    }

    @Test
    void anInterruptIsKeptByCallsThatDoNotWait() {
        Thread.currentThread().interrupt();
        assertTrue(limiter.tryAcquireBlocking().isAllowed());
        assertFalse(limiter.peekBlocking().isAllowed());
        limiter.settleBlocking(1, 1);
        limiter.resetBlocking();
        assertTrue(Thread.interrupted());
        assertEquals(1, limiter.peek().remaining());
    }

    @Test
    void anInterruptWhileWaitingChargesNothingAndOthersMoveUp() throws Exception {
        limiter.tryAcquire();
        CompletableFuture<Throwable> first = new CompletableFuture<>();
        Thread interrupted = start(Thread::new, () -> {
            try {
                limiter.acquireBlocking();
                first.complete(new AssertionError("granted"));
            } catch (InterruptedException e) {
                first.complete(Thread.currentThread().isInterrupted() ? new AssertionError("flag") : e);
            }
        });
        waiters.awaitParked(interrupted);
        CompletableFuture<Boolean> second = new CompletableFuture<>();
        waiters.awaitParked(start(Thread::new, () -> second.complete(acquire())));
        interrupted.interrupt();
        assertEquals(InterruptedException.class, get(first).getClass());
        limiter.settle(1, 0);
        assertTrue(get(second));
        limiter.settle(1, 0);
        assertEquals(1, limiter.peek().remaining());
    }

    @Test
    void platformThreadsAreServedInTheOrderInWhichTheyCame() throws Exception {
        assertServedInOrder(Thread::new, 24);
    }

    @Test
    void virtualThreadsAreServedInTheOrderInWhichTheyCame() throws Exception {
        assertServedInOrder(VirtualThreads::unstarted, 24);
    }

    @Test
    void aThreadOfTheLimitersOwnExecutorMayBlock() throws Exception {
        ExecutorService one = Executors.newSingleThreadExecutor();
        try {
            LocalRateLimiter own = RateLimiters.builder("own")
                    .limits(RateLimit.every(Duration.ofMillis(5)))
                    .executor(one)
                    .build();
            own.tryAcquire();
            // The first future's dependent blocks the only thread, in line behind the second future.
            CompletableFuture<Boolean> first = own.acquireAsync().thenApply(r -> acquire(own));
            CompletableFuture<Boolean> second = own.acquireAsync().thenApply(r -> acquire(own));
            assertTrue(get(first));
            assertTrue(get(second));
        } finally {
            one.shutdownNow();
        }
    }

    @Test
    void manyThreadsOfTheDefaultExecutorMayBlock() throws Exception {
        LocalRateLimiter own = RateLimiters.create("own", RateLimit.every(Duration.ofMillis(2)));
        own.tryAcquire();
        List<CompletableFuture<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < 4 * Runtime.getRuntime().availableProcessors(); i++) {
            all.add(own.acquireAsync().thenApply(r -> acquire(own)));
        }
        for (CompletableFuture<Boolean> each : all) {
            assertTrue(get(each));
        }
    }

    private void assertServedInOrder(Function<Runnable, Thread> threads, int count) throws Exception {
        limiter.tryAcquire();
        BlockingQueue<Integer> served = new LinkedBlockingQueue<>();
        for (int i = 0; i < count; i++) {
            int place = i;
            waiters.awaitParked(start(threads, () -> served.add(acquire() ? place : -1)));
        }
        for (int i = 0; i < count; i++) {
            assertTrue(served.isEmpty());
            limiter.settle(1, 0);
            assertEquals(i, served.poll(Waiters.PATIENCE_SECONDS, TimeUnit.SECONDS));
        }
    }

    private static Thread start(Function<Runnable, Thread> threads, Runnable task) {
        Thread thread = threads.apply(task);
        thread.start();
        return thread;
    }

    private boolean acquire() {
        return acquire(limiter);
    }

    private static boolean acquire(LocalRateLimiter limiter) {
        try {
            return limiter.acquireBlocking().isAllowed();
        } catch (InterruptedException e) {
            return false;
        }
    }
}
