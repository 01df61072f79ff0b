package dev.ratelimit.samples.java;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimitResult;
import dev.ratelimit.jvm.RateLimiters;

/** A limiter in memory answers at once: no I/O, no future, no thread. */
public final class InMemory {
    private InMemory() {}

    public static void main(String[] args) {
        LocalRateLimiter local =
                RateLimiters.inMemory("db", RateLimit.perSecond(100).withBurst(2));
        for (int i = 0; i < 3; i++) {
            if (local.tryAcquire().isAllowed()) {
                query();
            }
        }
        RateLimitResult next = local.peek();
        System.out.println(
                "next: " + (next.isAllowed() ? "now" : "within " + next.limit().period()));
    }

    private static void query() {
        System.out.println("query");
    }
}
