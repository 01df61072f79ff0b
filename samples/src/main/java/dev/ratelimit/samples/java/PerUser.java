package dev.ratelimit.samples.java;

import dev.ratelimit.LocalKeyedRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.jvm.RateLimiters;

/** The same limits for each of many keys; several limits rule together, all or nothing. */
public final class PerUser {
    private PerUser() {}

    public static void main(String[] args) {
        LocalKeyedRateLimiter<String> perUser =
                RateLimiters.keyed("users", RateLimit.perMinute(60).withBurst(3), RateLimit.perHour(1_000));

        for (int i = 0; i < 4; i++) {
            System.out.println("alice: " + perUser.get("alice").tryAcquire().isAllowed());
        }
        System.out.println("bob: " + perUser.get("bob").tryAcquire().isAllowed());
    }
}
