package dev.ratelimit.samples.java;

import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimitExceededException;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.jvm.RateLimiters;
import java.time.Duration;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Threads that wait for permits: virtual ones where the JDK has them (21 and later). */
public final class Blocking {
    private Blocking() {}

    public static void main(String[] args) throws Exception {
        RateLimiter limiter = RateLimiters.create("db", RateLimit.perSecond(40).withBurst(1));

        ExecutorService threads = threads();
        Callable<Boolean> query =
                () -> limiter.acquireBlocking(Duration.ofSeconds(30)).isAllowed();
        int done = 0;
        for (Future<Boolean> answer : threads.invokeAll(Collections.nCopies(20, query))) {
            if (answer.get()) {
                done++;
            }
        }
        threads.shutdown();
        System.out.println(done + " queries");

        RateLimiter reports = RateLimiters.create("reports", RateLimit.perHour(1));
        reports.acquireBlocking();
        try {
            reports.acquireBlocking(Duration.ofSeconds(30));
        } catch (RateLimitExceededException e) {
            Duration retryAfter = e.getResult().retryAfter();
            System.out.println("not in 30 seconds, but in " + (retryAfter.toMinutes() + 1) + " minutes");
        }
    }

    /** {@code Executors.newVirtualThreadPerTaskExecutor()}, for a program that shall run on JDK 17 too. */
    private static ExecutorService threads() throws ReflectiveOperationException {
        if (Runtime.version().feature() < 21) {
            return Executors.newCachedThreadPool();
        }
        return (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    }
}
