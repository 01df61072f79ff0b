package dev.ratelimit.ktor.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ratelimit.RateLimit;
import dev.ratelimit.jvm.MemoryStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The downloader as Java sees it, on CIO and over loopback. */
class JavaDownloaderTest {
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final CountDownLatch isAsked = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);
    private HttpServer server;
    private String site;

    @TempDir
    Path dir;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(executor);
        server.createContext("/file", exchange -> answer(exchange, 200, "content"));
        server.createContext("/missing", exchange -> answer(exchange, 404, ""));
        server.createContext("/slow", exchange -> {
            isAsked.countDown();
            try {
                release.await(60, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            answer(exchange, 200, "content");
        });
        server.start();
        site = "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @AfterEach
    void stop() {
        release.countDown();
        server.stop(0);
        executor.shutdownNow();
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static Downloader downloader() {
        return new Downloader(DownloadSettings.builder()
                .rate(RateLimit.perSecond(1000))
                .store(new MemoryStore())
                .parallelism(2)
                .retries(0)
                .userAgent("java")
                .connectTimeout(Duration.ofSeconds(10))
                .build());
    }

    @Test
    void aFileIsAFuture() throws Exception {
        try (Downloader downloader = downloader()) {
            DownloadedFile file =
                    downloader.downloadAsync(site + "/file", dir.resolve("f")).get(60, TimeUnit.SECONDS);
            assertEquals(dir.resolve("f"), file.getPath());
            assertEquals(7, file.getBytes());
            assertEquals("content", Files.readString(file.getPath()));
        }
    }

    @Test
    void aFailureIsTheFuturesAndNamesItsReason() {
        try (Downloader downloader = downloader()) {
            CompletableFuture<DownloadedFile> future = downloader.downloadAsync(site + "/missing", dir.resolve("f"));
            ExecutionException thrown = assertThrows(ExecutionException.class, () -> future.get(60, TimeUnit.SECONDS));
            DownloadException failure = assertInstanceOf(DownloadException.class, thrown.getCause());
            assertEquals(DownloadFailure.REFUSED, failure.getFailure());
            assertEquals(404, failure.getStatus());
            assertEquals(site + "/missing -> " + dir.resolve("f") + ": 404 Not Found", failure.getMessage());
        }
    }

    @Test
    void manyFilesAreOneFutureWhichNoneOfThemMakesFail() throws Exception {
        ConcurrentLinkedQueue<DownloadEvent> events = new ConcurrentLinkedQueue<>();
        try (Downloader downloader = downloader()) {
            List<DownloadRequest> requests = List.of(
                    DownloadRequest.builder(site + "/file", dir.resolve("f"))
                            .ifExists(IfExists.REPLACE)
                            .digest("SHA-256", "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73")
                            .build(),
                    DownloadRequest.of(site + "/missing", dir.resolve("g")));
            List<DownloadEvent.End> ends =
                    downloader.downloadAllAsync(requests, events::add).get(60, TimeUnit.SECONDS);
            assertEquals(
                    7,
                    assertInstanceOf(DownloadEvent.Done.class, ends.get(0))
                            .getFile()
                            .getBytes());
            assertEquals(
                    404,
                    assertInstanceOf(DownloadEvent.Failed.class, ends.get(1))
                            .getCause()
                            .getStatus());
            assertTrue(events.containsAll(ends));
            assertTrue(events.stream().anyMatch(event -> event instanceof DownloadEvent.Progress));
        }
    }

    @Test
    void cancellingAFutureEndsItsDownload() throws Exception {
        try (Downloader downloader = downloader()) {
            CompletableFuture<DownloadedFile> future = downloader.downloadAsync(site + "/slow", dir.resolve("f"));
            assertTrue(isAsked.await(60, TimeUnit.SECONDS));
            future.cancel(false);
            release.countDown();
            // The target is free again as soon as the first has let go of it.
            DownloadRequest again = DownloadRequest.builder(site + "/file", dir.resolve("f"))
                    .ifExists(IfExists.NUMBER)
                    .build();
            Path path =
                    downloader.downloadAsync(again).get(60, TimeUnit.SECONDS).getPath();
            assertTrue(List.of(dir.resolve("f"), dir.resolve("f.1")).contains(path));
            assertEquals("content", Files.readString(path));
        }
    }

    @Test
    void whatCannotBeMeantIsRefusedAtOnce() {
        IllegalArgumentException thrown =
                assertThrows(IllegalArgumentException.class, () -> DownloadRequest.of("file.txt", dir.resolve("f")));
        assertTrue(thrown.getMessage().startsWith("'file.txt' is not a URL that can be downloaded; write for example"));
        assertFalse(Files.exists(dir.resolve("f")));
    }
}
