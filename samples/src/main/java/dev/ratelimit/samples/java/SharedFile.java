package dev.ratelimit.samples.java;

import dev.ratelimit.LocalKeyedRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.jvm.RateLimiters;
import dev.ratelimit.jvm.SharedMemoryStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** One limit for all processes of a machine that open the same file; yours would write a path that all of them know. */
public final class SharedFile {
    private SharedFile() {}

    public static void main(String[] args) throws IOException {
        Path folder = Files.createTempDirectory("samples");
        Path path = folder.resolve("limits");

        try (SharedMemoryStore store = SharedMemoryStore.open(path, 10_000)) {
            LocalKeyedRateLimiter<String> perUser =
                    RateLimiters.keyed("users", store, RateLimit.perMinute(60).withBurst(90));
            System.out.println(
                    "alice: " + perUser.get("alice").tryAcquire().remaining() + " left, for all processes together");
        }
        Files.delete(path);
        Files.delete(folder);
    }
}
