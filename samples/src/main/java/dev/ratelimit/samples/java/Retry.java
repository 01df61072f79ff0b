package dev.ratelimit.samples.java;

import static java.net.http.HttpResponse.BodyHandlers.ofString;

import dev.failsafe.Failsafe;
import dev.failsafe.RetryPolicy;
import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimitExceededException;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.jvm.RateLimiters;
import dev.ratelimit.samples.LocalServer;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** A limiter does not retry, and Failsafe does that well: retry around limit around call, so that each try pays. */
public final class Retry {
    private Retry() {}

    public static void main(String[] args) throws IOException {
        RateLimiter limiter = RateLimiters.create("api", RateLimit.perSecond(10).withBurst(1));
        HttpClient http = HttpClient.newHttpClient();

        RetryPolicy<String> policy = RetryPolicy.<String>builder()
                .handle(RateLimitExceededException.class, IOException.class)
                .withMaxRetries(10)
                .withDelayFn(context -> pause(context.getLastException()))
                .build();

        try (LocalServer server = LocalServer.start(2)) {
            HttpRequest request = HttpRequest.newBuilder(server.page("/")).build();
            String page = Failsafe.with(policy).get(() -> {
                limiter.acquireBlocking(Duration.ZERO);
                HttpResponse<String> response = http.send(request, ofString());
                if (response.statusCode() >= 500) {
                    throw new IOException("status " + response.statusCode());
                }
                return response.body();
            });
            System.out.println("in the end: " + page);
        }
    }

    /** A limiter that refuses knows when it will not: no backoff can guess better. */
    private static Duration pause(Throwable failure) {
        Duration pause = failure instanceof RateLimitExceededException refusal
                ? refusal.getResult().retryAfter().plusMillis(1) // Failsafe sleeps whole milliseconds, rounded down.
                : Duration.ofMillis(50);
        System.out.println(failure.getClass().getSimpleName() + ", again in " + pause);
        return pause;
    }
}
