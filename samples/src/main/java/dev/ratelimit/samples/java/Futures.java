package dev.ratelimit.samples.java;

import static java.net.http.HttpResponse.BodyHandlers.ofString;

import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.jvm.RateLimiters;
import dev.ratelimit.samples.LocalServer;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/** Permits as futures, in front of the JDK's HTTP client: no thread waits. */
public final class Futures {
    private Futures() {}

    public static void main(String[] args) throws IOException {
        RateLimiter sec = RateLimiters.create("sec.gov", RateLimit.perSecond(10));
        HttpClient http = HttpClient.newHttpClient();

        try (LocalServer server = LocalServer.start()) {
            List<CompletableFuture<String>> pages = IntStream.range(0, 14)
                    .mapToObj(i -> HttpRequest.newBuilder(server.page("/" + i)).build())
                    .map(req -> sec.acquireAsync()
                            .thenCompose(r -> http.sendAsync(req, ofString()))
                            .thenApply(HttpResponse::body))
                    .toList();
            pages.forEach(CompletableFuture::join);
            System.out.println(
                    pages.size() + " pages, the last one is '" + pages.get(13).join() + "'");
        }
    }
}
