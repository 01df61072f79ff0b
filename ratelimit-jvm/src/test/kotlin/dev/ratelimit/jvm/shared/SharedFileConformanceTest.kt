package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.conformance.RateLimitStoreConformance
import dev.ratelimit.jvm.conformance.StoreFixture
import dev.ratelimit.jvm.store.ManualClock
import dev.ratelimit.spi.RateLimitStore
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.deleteIfExists
import kotlin.time.Duration

/** The shared file passes the kit. */
internal class SharedFileConformanceTest : RateLimitStoreConformance({ SharedFileFixture() })

/** A file of its own with its clock in hand, which starts anywhere but at an edge of a window. */
private class SharedFileFixture : StoreFixture {
    private val clock = ManualClock(1_795_262_399_987_654_321)
    private val folder: Path = Files.createTempDirectory("ratelimit")
    private val path = folder.resolve("limits")

    override val store: RateLimitStore = SharedMemoryStore.open(path, 1000, clock)

    override fun advance(time: Duration) = clock.advance(time)

    override fun close() {
        store.close()
        path.deleteIfExists()
        folder.deleteIfExists()
    }
}
