package dev.ratelimit.samples.demo

import java.nio.file.Path
import java.security.MessageDigest
import kotlin.io.path.exists
import kotlin.io.path.readBytes
import kotlin.random.Random

/** The files that the demo's server has: the same bytes in each run, 64 to 256 KiB each. */
internal class DemoFiles(
    val count: Int,
) {
    private val contents = List(count) { Random(it).run { nextBytes(nextInt(64 * KIB, 256 * KIB + 1)) } }
    private val hashes = contents.map { it.sha256() }

    val totalBytes: Long get() = contents.sumOf { it.size.toLong() }

    fun name(number: Int) = "file-%02d.bin".format(number + 1)

    fun find(name: String): ByteArray? = (0 until count).firstOrNull { name(it) == name }?.let(contents::get)

    /** How many of the files, or of those with [numbers], have arrived in [dir], each byte of them. */
    fun completeIn(dir: Path, numbers: Iterable<Int> = 0 until count): Int =
        numbers.count { i -> dir.resolve(name(i)).let { it.exists() && it.readBytes().sha256().contentEquals(hashes[i]) } }

    private fun ByteArray.sha256() = MessageDigest.getInstance("SHA-256").digest(this)

    private companion object {
        const val KIB = 1024
    }
}
