package dev.ratelimit.jvm.shared.rig

import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.isDirectory
import kotlin.io.path.isWritable
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name

/** A folder in memory where the system has one, gone when closed. */
internal class SharedFolder : AutoCloseable {
    private val folder: Path =
        if (MEMORY.isDirectory() && MEMORY.isWritable()) Files.createTempDirectory(MEMORY, PREFIX) else Files.createTempDirectory(PREFIX)

    fun file(name: String): Path = folder.resolve(name)

    /** What is there, in any order. */
    fun names(): List<String> = folder.listDirectoryEntries().map { it.name }

    override fun close() {
        folder.toFile().deleteRecursively()
    }

    private companion object {
        val MEMORY: Path = Path.of("/dev/shm")
        const val PREFIX = "ratelimit"
    }
}
