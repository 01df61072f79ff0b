package dev.ratelimit.samples.java;

import dev.ratelimit.KeyedRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.jvm.FailurePolicy;
import dev.ratelimit.jvm.RateLimiters;
import dev.ratelimit.jvm.RedisStore;
import java.time.Duration;

/** One limit for all processes that use the same Redis. Without a server everything is refused, and said to be unavailable. */
public final class Redis {
    private Redis() {}

    public static void main(String[] args) {
        String uri = System.getenv().getOrDefault("REDIS_URL", "redis://localhost:6379");
        try (RedisStore store = RedisStore.builder()
                .keyPrefix("samples:")
                .deadline(Duration.ofMillis(100))
                .failurePolicy(FailurePolicy.closed())
                .denialCache(10_000)
                .mayStartAway(true)
                .connect(uri)) {
            KeyedRateLimiter<String> perUser = RateLimiters.keyed("users", store, RateLimit.perMinute(60));
            System.out.println("alice: " + perUser.get("alice").tryAcquireBlocking());
        }
    }
}
