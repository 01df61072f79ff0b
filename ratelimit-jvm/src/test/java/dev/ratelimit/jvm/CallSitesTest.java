package dev.ratelimit.jvm;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import dev.ratelimit.KeyedRateLimiter;
import dev.ratelimit.LocalKeyedRateLimiter;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimitResult;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spi.RateLimitStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The lines that users of Java write, as the README shows them. */
class CallSitesTest {
    private int queries;

    @Test
    void theLinesOfTheReadme() throws Exception {
        HttpServer server = helloServer();
        try {
            HttpClient http = HttpClient.newHttpClient();
            HttpRequest req = HttpRequest.newBuilder(
                            URI.create("http://" + server.getAddress().getHostString() + ":"
                                    + server.getAddress().getPort() + "/"))
                    .build();

            RateLimiter sec = RateLimiters.create("sec.gov", RateLimit.perSecond(10));
            CompletableFuture<String> page = sec.acquireAsync()
                    .thenCompose(r -> http.sendAsync(req, ofString()))
                    .thenApply(HttpResponse::body);
            sec.acquireBlocking(Duration.ofSeconds(30));
            Callable<String> limited = RateLimiters.decorate(sec, () -> fetch("a"));
            LocalRateLimiter local = RateLimiters.inMemory("db", RateLimit.perSecond(100));
            if (local.tryAcquire().isAllowed()) query();

            assertEquals("hello", page.get(Waiters.PATIENCE_SECONDS, TimeUnit.SECONDS));
            assertEquals("page of a", limited.call());
            assertEquals(1, queries);
            assertEquals("sec.gov", sec.name());
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aLocalStoreGivesALocalLimiterAndAnyOtherAnyLimiter() {
        RateLimit limit = RateLimit.perMinute(60).withBurst(90);
        MemoryStore memory = new MemoryStore(() -> 0, 100);
        RateLimitStore any = memory;
        LocalRateLimiter local = RateLimiters.create("api", memory, limit, RateLimit.perHour(1_000));
        RateLimiter plain = RateLimiters.create("api", any, limit, RateLimit.perHour(1_000));
        LocalKeyedRateLimiter<String> localUsers = RateLimiters.keyed("users", memory, limit);
        KeyedRateLimiter<String> users = RateLimiters.keyed("users", any, limit);

        assertEquals(89, local.tryAcquire().remaining());
        assertEquals(88, plain.tryAcquireBlocking().remaining());
        assertEquals(89, localUsers.get("alice").tryAcquire().remaining());
        assertEquals(88, users.get("alice").tryAcquireBlocking().remaining());
        assertEquals(89, users.get("bob").tryAcquireBlocking().remaining());
    }

    @Test
    void eachFactoryAndResultReadsAsItIsWritten() {
        LocalRateLimiter login = RateLimiters.inMemory(
                "login",
                RateLimit.fixedWindow(5, Duration.ofMinutes(5)),
                RateLimit.slidingLog(10, Duration.ofHours(1)),
                RateLimit.slidingWindow(10_000, Duration.ofMinutes(1)),
                RateLimit.tokenBucket(7, Duration.ofSeconds(3)),
                RateLimit.every(Duration.ofMillis(1)).withBurst(8));
        RateLimitResult result = login.tryAcquire(5);
        assertTrue(result.isAllowed());
        assertEquals(0, result.remaining());
        assertEquals(Duration.ZERO, result.retryAfter());
        assertEquals(Duration.ZERO, result.delay());
        assertFalse(result.resetAfter().isZero());
        assertFalse(login.peek().isAllowed());
        login.reset();
        assertEquals(5, login.peek().remaining());
    }

    @Test
    void aLeakyBucketTellsTheTurn() {
        LocalRateLimiter queue = RateLimiters.create(
                "queue", new MemoryStore(() -> 0), RateLimit.leakyBucket(10, Duration.ofSeconds(1), 3));
        assertEquals(Duration.ZERO, queue.tryAcquire().delay());
        assertEquals(Duration.ofMillis(100), queue.tryAcquire().delay());
        assertEquals(Duration.ofMillis(200), queue.tryAcquire().delay());
        assertFalse(queue.tryAcquire().isAllowed());
    }

    private static String fetch(String url) {
        return "page of " + url;
    }

    private void query() {
        queries++;
    }

    private static HttpServer helloServer() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = "hello".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        return server;
    }
}
