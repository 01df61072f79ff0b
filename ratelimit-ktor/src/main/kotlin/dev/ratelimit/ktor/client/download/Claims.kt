package dev.ratelimit.ktor.client.download

import java.nio.channels.FileChannel
import java.nio.channels.OverlappingFileLockException
import java.nio.file.FileAlreadyExistsException
import java.nio.file.FileSystemException
import java.nio.file.Files
import java.nio.file.LinkOption.NOFOLLOW_LINKS
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE_NEW
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import java.nio.file.attribute.BasicFileAttributes
import java.util.concurrent.ConcurrentHashMap

/** A file that this download alone writes to, in this process and, by a lock on it, on this machine. */
internal class Claim private constructor(
    private val key: Path,
    val channel: FileChannel,
) : AutoCloseable {
    override fun close() {
        try {
            channel.close()
        } finally {
            claimed.remove(key)
        }
    }

    companion object {
        /** Locks are the process's, and closing any channel of a file drops them: within the process this set has to do. */
        private val claimed: MutableSet<Path> = ConcurrentHashMap.newKeySet()

        private const val ATTEMPTS = 100

        /** The claim on [file], which is made if it is missing; null if somebody else has it. */
        fun of(file: Path): Claim? {
            val key = (file.toAbsolutePath().parent ?: file.root).toRealPath().resolve(file.fileName)
            if (!claimed.add(key)) return null
            var channel: FileChannel? = null
            try {
                channel = locked(file)
                return channel?.let { Claim(key, it) }
            } finally {
                if (channel == null) claimed.remove(key)
            }
        }

        /**
         * Who has finished renames the file, or deletes it, and then lets go of the lock. Whoever opened it just before gets a lock that
         * is worth nothing, on a file that is complete by now. So the name must be the same file's before it is opened and after it is
         * locked.
         */
        private fun locked(file: Path): FileChannel? {
            repeat(ATTEMPTS) {
                make(file)
                val before = identity(file) ?: return@repeat
                val channel = open(file) ?: return@repeat
                var isOurs = false
                try {
                    if (!locks(channel)) return null
                    isOurs = identity(file) == before
                } finally {
                    if (!isOurs) channel.close()
                }
                if (isOurs) return channel
            }
            return null
        }

        private fun locks(channel: FileChannel): Boolean =
            try {
                channel.tryLock() != null
            } catch (ignored: OverlappingFileLockException) {
                false
            }

        private fun make(file: Path) {
            try {
                FileChannel.open(file, CREATE_NEW, WRITE).close()
            } catch (ignored: FileAlreadyExistsException) {
                return
            }
        }

        private fun open(file: Path): FileChannel? =
            try {
                FileChannel.open(file, READ, WRITE, NOFOLLOW_LINKS)
            } catch (ignored: NoSuchFileException) {
                null
            }

        private fun identity(file: Path): Any? =
            try {
                val attributes = Files.readAttributes(file, BasicFileAttributes::class.java, NOFOLLOW_LINKS)
                if (!attributes.isRegularFile) throw FileSystemException("$file", null, "it is not a regular file")
                attributes.fileKey() ?: file
            } catch (ignored: NoSuchFileException) {
                null
            }
    }
}
