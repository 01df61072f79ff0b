package dev.ratelimit.samples.java;

import dev.ratelimit.RateLimit;
import dev.ratelimit.ktor.client.DownloadSettings;
import dev.ratelimit.ktor.client.DownloadedFile;
import dev.ratelimit.ktor.client.Downloader;
import dev.ratelimit.samples.LocalServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** Files as futures, under the limit of their host. */
public final class Downloads {
    private Downloads() {}

    public static void main(String[] args) throws IOException {
        DownloadSettings settings = DownloadSettings.builder()
                .rate(RateLimit.perSecond(10))
                .userAgent("MyBot/1.0")
                .build();
        Path dir = Files.createTempDirectory("downloads");
        Path report = dir.resolve("report.txt");
        try (LocalServer server = LocalServer.start();
                Downloader downloader = new Downloader(settings)) {
            CompletableFuture<DownloadedFile> file =
                    downloader.downloadAsync(server.page("/report").toString(), report);
            System.out.println(file.join().getPath().getFileName() + ": " + Files.readString(report));
        } finally {
            Files.deleteIfExists(report);
            Files.deleteIfExists(dir);
        }
    }
}
