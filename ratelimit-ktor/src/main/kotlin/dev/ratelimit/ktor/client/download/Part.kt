package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.DownloadFailure
import dev.ratelimit.ktor.client.DownloadRequest
import dev.ratelimit.ktor.client.IfExists
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.LinkOption.NOFOLLOW_LINKS
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardOpenOption.CREATE_NEW
import java.nio.file.StandardOpenOption.WRITE
import kotlin.io.path.name

/**
 * The part of a file that has arrived, `report.pdf.ratelimit-part` beside `report.pdf`, with its [Note] in `report.pdf.ratelimit-note`.
 * It is held for one download alone until it is closed. All that goes wrong here is a [DownloadException] that names the file.
 */
internal class Part private constructor(
    private val request: DownloadRequest,
    private val target: Path,
    private val claim: Claim,
) : AutoCloseable {
    private val path = partOf(target)
    private val notePath = target.resolveSibling(target.name + NOTE)
    private val source = Note.sourceOf(request.address)

    private var note = if (request.isResumed) files(notePath) { Note.read(it) }?.takeIf { it.source == source } else null
    private var isPlaced = false

    /** The bytes that are here. */
    @Volatile
    var size = files { claim.channel.size() }
        private set

    /** What is known of the bytes that are here, if they can be continued. */
    val resumable: Note? get() = note.takeIf { size > 0 }

    /** Throws away what is here. The bytes to come are of a file of [length] bytes, and can be continued if there is a [validator]. */
    fun restart(
        validator: String? = null,
        length: Long? = null,
    ) {
        files { claim.channel.truncate(0) }
        size = 0
        note = null
        files(notePath) { Files.deleteIfExists(it) }
        if (validator == null) return
        val next = Note(source, validator, length ?: -1)
        files(notePath) { Files.write(it, next.text().toByteArray(), CREATE_NEW, WRITE) }
        note = next
    }

    /** Appends the first [count] of [bytes]. */
    fun write(
        bytes: ByteArray,
        count: Int,
    ) {
        val buffer = ByteBuffer.wrap(bytes, 0, count)
        files {
            while (buffer.hasRemaining()) size += claim.channel.write(buffer, size)
        }
    }

    /** All the bytes that are here, in pieces, as they are on the disk. */
    fun readAll(piece: (ByteArray, Int) -> Unit) {
        val buffer = ByteBuffer.allocate(PIECE)
        var at = 0L
        while (at < size) {
            val count = files { claim.channel.read(buffer.clear(), at) }
            if (count < 0) fail(DownloadFailure.FILE, "$path was cut short by somebody else")
            piece(buffer.array(), count)
            at += count
        }
    }

    /** Gives the complete file its name, which is the result. */
    fun place(): Path {
        files { claim.channel.force(true) }
        val placed =
            when (request.ifExists) {
                IfExists.FAIL -> target.takeIf(::takes) ?: fail(DownloadFailure.EXISTS, "$target exists by now")
                IfExists.REPLACE -> target.also { files(it) { Files.move(path, it, ATOMIC_MOVE) } }
                IfExists.NUMBER -> numbered(request.target).dropWhile { it != target }.first(::takes)
            }
        isPlaced = true
        files(notePath) { Files.deleteIfExists(it) }
        return placed
    }

    /** Whether this file has got the name [to]; not if another has it. A link, unlike a rename, replaces nothing. */
    private fun takes(to: Path): Boolean = files(to) { Placing.link(path, to) }

    /** Where the bytes are that the next download can continue, if there are any. */
    fun kept(): Path? = path.takeIf { !isPlaced && resumable != null }

    override fun close() {
        try {
            if (!isPlaced && (size == 0L || note == null)) {
                Files.deleteIfExists(path)
                Files.deleteIfExists(notePath)
            }
        } catch (ignored: IOException) {
            return
        } finally {
            claim.close()
        }
    }

    private fun <T> files(action: () -> T): T = files(path) { action() }

    private fun <T> files(
        file: Path,
        action: (Path) -> T,
    ): T = writing(request, file) { action(file) }

    private fun fail(
        failure: DownloadFailure,
        reason: String,
    ): Nothing = throw DownloadException(failure, request, reason)

    companion object {
        private const val PART = ".ratelimit-part"
        private const val NOTE = ".ratelimit-note"
        private const val PIECE = 64 * 1024

        fun partOf(target: Path): Path = target.resolveSibling(target.name + PART)

        /** The part for [request], held. */
        fun claim(request: DownloadRequest): Part {
            if (request.ifExists == IfExists.NUMBER) return numbered(request.target).firstNotNullOf { claimFree(request, it) }
            val target = request.target
            checkFree(request)
            val claim = writing(request, partOf(target)) { Claim.of(partOf(target)) }
            claim ?: throw DownloadException(DownloadFailure.BUSY, request, "another download is writing $target; wait for it to end")
            // Once more: the one that had it until now may just have finished.
            return made(request, target, claim) { checkFree(request) }
        }

        private fun claimFree(
            request: DownloadRequest,
            target: Path,
        ): Part? {
            if (exists(target)) return null
            val claim = writing(request, partOf(target)) { Claim.of(partOf(target)) } ?: return null
            val part = made(request, target, claim) {}
            if (!exists(target)) return part
            part.close()
            return null
        }

        private fun made(
            request: DownloadRequest,
            target: Path,
            claim: Claim,
            check: () -> Unit,
        ): Part {
            var part: Part? = null
            var isFine = false
            try {
                part = Part(request, target, claim)
                check()
                isFine = true
                return part
            } finally {
                if (!isFine) (part ?: claim).close()
            }
        }

        private fun checkFree(request: DownloadRequest) {
            if (request.ifExists != IfExists.FAIL || !exists(request.target)) return
            val reason = "${request.target} exists; let it be replaced (IfExists.REPLACE), or take another name (IfExists.NUMBER)"
            throw DownloadException(DownloadFailure.EXISTS, request, reason)
        }

        private fun exists(file: Path) = Files.exists(file, NOFOLLOW_LINKS)
    }
}
