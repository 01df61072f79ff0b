package dev.ratelimit.samples.java;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.jvm.RateLimiters;

/** A cost that is known only afterwards: take an estimate, then settle the difference. */
public final class TokensOfAModel {
    private TokensOfAModel() {}

    public static void main(String[] args) throws InterruptedException {
        LocalRateLimiter tokens = RateLimiters.inMemory("model tokens", RateLimit.perDay(10_000));

        long estimated = 500;
        tokens.acquireBlocking(estimated);
        long actual = ask("Why is the sky blue?");
        tokens.settle(estimated, actual);
        System.out.println(actual + " tokens used, " + tokens.peek().remaining() + " left");
    }

    private static long ask(String question) {
        return question.length() / 4 + 150;
    }
}
