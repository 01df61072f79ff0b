package dev.ratelimit.samples.java;

import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.jvm.RateLimiters;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** A task that waits for a permit before it runs, and looks to its callers like any other. */
public final class Decorating {
    private Decorating() {}

    public static void main(String[] args) throws Exception {
        RateLimiter sec = RateLimiters.create("sec.gov", RateLimit.perSecond(20).withBurst(2));
        String url = "/a";

        Callable<String> limited = RateLimiters.decorate(sec, () -> fetch(url));
        System.out.println(limited.call() + ", " + limited.call() + ", " + limited.call());

        Supplier<CompletableFuture<String>> later =
                RateLimiters.decorateAsync(sec, () -> CompletableFuture.supplyAsync(() -> fetch(url)));
        System.out.println(later.get()
                .thenCombine(later.get(), (one, other) -> one + " and " + other)
                .get());
    }

    private static String fetch(String url) {
        return "page " + url;
    }
}
