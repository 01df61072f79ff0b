package dev.ratelimit.samples

import com.github.ajalt.clikt.core.UsageError
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.charset.MalformedInputException
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import kotlin.io.path.isDirectory
import kotlin.io.path.readBytes

/** URLs, one a line, from the file [name], or from [stdin] if that is `-`; lines that begin with # are comments. */
internal class UrlList(
    private val name: String,
    private val stdin: InputStream,
) {
    fun read(): List<String> =
        lines().mapIndexedNotNull { i, line ->
            line.trim().takeUnless { it.isEmpty() || it.startsWith("#") }?.let { checked(it, "line ${i + 1} of $this") }
        }

    private fun lines(): List<String> =
        try {
            val text = Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes()))
            text.toString().removePrefix("\uFEFF").lines()
        } catch (e: MalformedInputException) {
            throw usage("$this is not UTF-8 (${e.message}); write it as UTF-8 or ASCII", e)
        } catch (e: IOException) {
            throw usage("$this cannot be read: ${if (e is NoSuchFileException) "it does not exist" else e.message}", e)
        }

    private fun bytes(): ByteArray {
        if (name == "-") return stdin.readBytes()
        val file = Path.of(name)
        if (file.isDirectory()) throw IOException("it is a folder")
        return file.readBytes()
    }

    override fun toString() = if (name == "-") "standard input" else name

    companion object {
        fun checked(url: String, where: String): String {
            if (!isHttpUrl(url)) throw UsageError("$where, '$url', is not a URL; write for example https://example.com/file.zip")
            return url
        }
    }
}

internal fun usage(message: String, cause: Throwable) = UsageError(message).apply { addSuppressed(cause) }
