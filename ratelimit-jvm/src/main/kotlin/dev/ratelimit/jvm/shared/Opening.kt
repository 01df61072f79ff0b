package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimitStoreException
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.FileAlreadyExistsException
import java.nio.file.Files
import java.nio.file.LinkOption.NOFOLLOW_LINKS
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.nio.file.StandardOpenOption.APPEND
import java.nio.file.StandardOpenOption.CREATE_NEW
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import java.nio.file.attribute.BasicFileAttributes
import java.nio.file.attribute.FileAttribute
import java.nio.file.attribute.PosixFilePermission
import java.nio.file.attribute.PosixFilePermissions
import java.security.SecureRandom

/** A file that was found in order. */
internal class Opened(
    @JvmField val header: FileHeader,
    @JvmField val channel: FileChannel,
    @JvmField val appending: FileChannel,
    /** What the file system calls the file itself, whatever its name; null if it has no word for it. */
    @JvmField val fileKey: Any?,
) : AutoCloseable {
    override fun close() {
        channel.close()
        appending.close()
    }
}

/**
 * Opens the file at a path, or makes it. A new file is written under another name and then linked to its own, which only one process can
 * do; so nobody ever sees one that is not complete, and who is killed meanwhile leaves nothing in the way. A file that is not in order is
 * refused and not touched.
 */
internal object Opening {
    fun open(
        path: Path,
        make: () -> FileHeader,
    ): Opened {
        val failure =
            try {
                repeat(ATTEMPTS) {
                    existing(path)?.let { return it }
                    create(path, make())
                }
                RateLimitStoreException("the shared file $path was replaced again and again while it was opened; see who deletes it", null)
            } catch (e: IOException) {
                RateLimitStoreException("the shared file $path cannot be opened: ${reasonOf(e)}; $REMEDY", e)
            } catch (e: Unreadable) {
                RateLimitStoreException("$path ${e.message}; nothing was changed: delete it, or choose another path", e)
            }
        throw failure
    }

    private fun reasonOf(e: IOException) = if (e.message == null) e.javaClass.simpleName else "${e.javaClass.simpleName}: ${e.message}"

    /** The file, or null if there is none, or if it was replaced just now. */
    private fun existing(path: Path): Opened? {
        val attributes = attributesOf(path) ?: return null
        checkKind(attributes)
        checkRights(path)
        val channel =
            try {
                FileChannel.open(path, setOf(READ, WRITE, NOFOLLOW_LINKS))
            } catch (ignored: NoSuchFileException) {
                return null
            }
        return channel.orClosed {
            FileChannel.open(path, setOf(APPEND, NOFOLLOW_LINKS)).let { appending ->
                appending.orClosed {
                    val same = attributesOf(path)?.fileKey() == attributes.fileKey()
                    if (same) Opened(headerOf(channel), channel, appending, attributes.fileKey()) else null
                }
            }
        }
    }

    /** What [opened] gives; the channel is closed if that is nothing. */
    private inline fun FileChannel.orClosed(opened: () -> Opened?): Opened? {
        var result: Opened? = null
        try {
            result = opened()
            return result
        } finally {
            if (result == null) close()
        }
    }

    /** Whether the header in the file is still [header]. */
    fun isSame(
        channel: FileChannel,
        header: FileHeader,
    ): Boolean =
        try {
            headerOf(channel).id == header.id
        } catch (ignored: Unreadable) {
            false
        }

    private fun headerOf(channel: FileChannel): FileHeader {
        val bytes = ByteBuffer.allocate(Layout.STRIPES)
        do {
            val read = channel.read(bytes, bytes.position().toLong())
        } while (read > 0 && bytes.hasRemaining())
        return FileHeader.decoded(bytes.flip(), channel.size())
    }

    private fun checkKind(attributes: BasicFileAttributes) {
        if (attributes.isSymbolicLink) throw Unreadable("is a symbolic link, which could lead anywhere")
        if (!attributes.isRegularFile) throw Unreadable("is not a file")
    }

    /** Whoever may write to the file sets the limits of all. */
    private fun checkRights(path: Path) {
        if (!isPosix(path)) return
        val owner = runCatching { Files.getAttribute(path, "unix:uid", NOFOLLOW_LINKS) }.getOrNull()
        if (owner != null && Machine.user != null && owner != Machine.user) {
            throw Unreadable("belongs to the user $owner, not to ${Machine.user}, who runs this process")
        }
        val permissions = Files.getPosixFilePermissions(path, NOFOLLOW_LINKS)
        if (permissions.any { it in OTHERS }) {
            throw Unreadable("has the mode ${PosixFilePermissions.toString(permissions)}, so others may use it; write chmod 600")
        }
    }

    fun attributesOf(path: Path): BasicFileAttributes? =
        try {
            Files.readAttributes(path, BasicFileAttributes::class.java, NOFOLLOW_LINKS)
        } catch (ignored: NoSuchFileException) {
            null
        }

    private fun create(
        path: Path,
        header: FileHeader,
    ) {
        val folder = path.toAbsolutePath().parent
        val temporary = folder.resolve(".${path.fileName}.${java.lang.Long.toHexString(SecureRandom().nextLong())}$TEMPORARY")
        try {
            FileChannel.open(temporary, setOf(CREATE_NEW, WRITE), *ownOnly(folder)).use { fill(it, header) }
            Files.createLink(path, temporary)
        } catch (ignored: FileAlreadyExistsException) {
            return
        } finally {
            Files.deleteIfExists(temporary)
            deleteLeftovers(folder, path)
        }
    }

    private fun fill(
        channel: FileChannel,
        header: FileHeader,
    ) {
        val size = Layout.cellsAt(header.groups)
        val first = header.encoded()
        while (first.hasRemaining()) channel.write(first)
        val zeros = ByteBuffer.allocate(PORTION)
        while (channel.position() < size) {
            zeros.clear().limit(minOf(PORTION.toLong(), size - channel.position()).toInt())
            channel.write(zeros)
        }
    }

    private fun ownOnly(folder: Path): Array<FileAttribute<*>> =
        if (isPosix(folder)) arrayOf(PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))) else emptyArray()

    private fun isPosix(path: Path) = "posix" in path.fileSystem.supportedFileAttributeViews()

    /** What processes have left that were killed while they made the file. */
    private fun deleteLeftovers(
        folder: Path,
        path: Path,
    ) {
        val longAgo = System.currentTimeMillis() - LEFTOVER_MILLIS
        runCatching {
            Files.newDirectoryStream(folder) { isTemporary("${it.fileName}", path) }.use { found ->
                found.filter { Files.getLastModifiedTime(it, NOFOLLOW_LINKS).toMillis() < longAgo }.forEach(Files::deleteIfExists)
            }
        }
    }

    private fun isTemporary(
        name: String,
        path: Path,
    ) = name.startsWith(".${path.fileName}.") && name.endsWith(TEMPORARY)

    private val OTHERS = PosixFilePermission.values().filterNot { it.name.startsWith("OWNER") }.toSet()
    private const val REMEDY = "see that its folder exists, may be written to, and has room"
    private const val ATTEMPTS = 20
    private const val TEMPORARY = ".new"
    private const val PORTION = 1 shl 20
    private const val LEFTOVER_MILLIS = 60_000L
}
