package dev.ratelimit.samples.java;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.jvm.RateLimiterRegistry;

/** Parts of a program that do not know each other share a limiter by its name. */
public final class SharedLimiters {
    private SharedLimiters() {}

    public static void main(String[] args) {
        RateLimiterRegistry registry = new RateLimiterRegistry();

        LocalRateLimiter crawler = registry.limiter("sec.gov", RateLimit.perSecond(10));
        registry.tighten("sec.gov", RateLimit.perSecond(5));
        System.out.println("now " + crawler.limits());
    }
}
