package dev.ratelimit.samples.java;

import static java.net.http.HttpResponse.BodyHandlers.ofString;

import dev.ratelimit.KeyedRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.jvm.RateLimiters;
import dev.ratelimit.samples.LocalServer;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/** The JDK's HTTP client under a limit for each host: requests are sent when their permits have come, and no thread waits for them. */
public final class JdkHttpClient {
    private JdkHttpClient() {}

    /** Sends requests, each when its host's turn has come. Give it a client that follows no redirects: those hops would be free. */
    record LimitedSender(HttpClient http, KeyedRateLimiter<String> hosts) {
        /** Cancelling the future while it waits for a permit leaves the line at no cost. */
        <T> CompletableFuture<HttpResponse<T>> send(HttpRequest request, BodyHandler<T> body) {
            return RateLimiters.decorateAsync(hosts.get(request.uri().getHost()), () -> http.sendAsync(request, body))
                    .get();
        }
    }

    public static void main(String[] args) throws IOException {
        HttpClient http = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
        LimitedSender sender = new LimitedSender(
                http, RateLimiters.keyed("hosts", RateLimit.perSecond(20).withBurst(1)));

        try (LocalServer server = LocalServer.start()) {
            long start = System.nanoTime();
            List<CompletableFuture<HttpResponse<String>>> pages = IntStream.range(0, 5)
                    .mapToObj(i -> HttpRequest.newBuilder(server.page("/" + i)).build())
                    .map(request -> sender.send(request, ofString()))
                    .toList();
            pages.forEach(CompletableFuture::join);
            System.out.println(
                    pages.size() + " pages in at least 200 ms: " + (System.nanoTime() - start >= 200_000_000));
        }
    }
}
