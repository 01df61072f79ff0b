package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.DownloadFailure
import dev.ratelimit.ktor.client.DownloadRequest
import java.io.IOException
import java.nio.file.AccessDeniedException
import java.nio.file.FileAlreadyExistsException
import java.nio.file.FileSystemException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.NotDirectoryException
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import kotlin.io.path.name

internal object Placing {
    /** Gives [from] the name [to], unless it is taken: then false. */
    fun link(
        from: Path,
        to: Path,
    ): Boolean {
        try {
            Files.createLink(to, from)
        } catch (ignored: FileAlreadyExistsException) {
            return false
        } catch (ignored: FileSystemException) {
            return move(from, to)
        } catch (ignored: UnsupportedOperationException) {
            return move(from, to)
        }
        Files.delete(from)
        return true
    }

    /** For file systems without links: whoever makes the empty file may replace it. */
    fun move(
        from: Path,
        to: Path,
    ): Boolean {
        try {
            Files.createFile(to)
        } catch (ignored: FileAlreadyExistsException) {
            return false
        }
        Files.move(from, to, ATOMIC_MOVE)
        return true
    }
}

/** `report.pdf`, `report.1.pdf`, `report.2.pdf`, ... */
internal fun numbered(target: Path): Sequence<Path> {
    val name = target.name
    val dot = name.lastIndexOf('.').takeIf { it > 0 } ?: name.length
    return generateSequence(0) { it + 1 }.map {
        if (it == 0) target else target.resolveSibling(name.substring(0, dot) + "." + it + name.substring(dot))
    }
}

/** Runs [action] on [file]; what goes wrong is told in one sentence. */
internal fun <T> writing(
    request: DownloadRequest,
    file: Path,
    action: () -> T,
): T =
    try {
        action()
    } catch (e: IOException) {
        throw if (e is DownloadException) e else DownloadException(DownloadFailure.FILE, request, "$file cannot be written: ${whyOf(e)}", e)
    }

private fun whyOf(e: IOException): String =
    when (e) {
        is NoSuchFileException -> "its folder does not exist; make it first"
        is AccessDeniedException -> "permission denied; choose a folder that you may write to"
        is NotDirectoryException -> "what should be its folder is a file"
        is FileSystemException -> e.reason ?: e.javaClass.simpleName
        else -> e.message ?: e.javaClass.simpleName
    }
