package dev.ratelimit.benchmarks.shared

import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.Path
import kotlin.io.path.isWritable

/**
 * Where the shared files of a benchmark are: in memory (`/dev/shm`) if there is such a place, else in the temporary folder. Another one:
 * `-Dratelimit.shared.folder=path`.
 */
internal object SharedFolder {
    private val parent: Path? =
        System.getProperty("ratelimit.shared.folder")?.let(::Path) ?: Path("/dev/shm").takeIf { it.isWritable() }

    /** A path with nothing there yet, in a folder that is gone when this process ends. */
    fun path(): Path {
        val folder = if (parent == null) Files.createTempDirectory(PREFIX) else Files.createTempDirectory(parent, PREFIX)
        Runtime.getRuntime().addShutdownHook(Thread { folder.toFile().deleteRecursively() })
        return folder.resolve("limits")
    }

    private const val PREFIX = "ratelimit-bench"
}
