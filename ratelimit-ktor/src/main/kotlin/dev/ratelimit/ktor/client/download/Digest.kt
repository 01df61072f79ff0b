package dev.ratelimit.ktor.client.download

import java.security.MessageDigest
import java.security.NoSuchAlgorithmException
import java.util.HexFormat

/** What a complete file has to hash to. */
internal class Digest private constructor(
    val algorithm: String,
    private val expected: ByteArray,
) {
    val text: String get() = hex(expected)

    fun start(): MessageDigest = MessageDigest.getInstance(algorithm)

    fun matches(actual: ByteArray): Boolean = MessageDigest.isEqual(expected, actual)

    companion object {
        fun of(
            algorithm: String,
            expected: String,
        ): Digest {
            val length =
                try {
                    MessageDigest.getInstance(algorithm).digestLength
                } catch (e: NoSuchAlgorithmException) {
                    throw IllegalArgumentException("digest algorithm '$algorithm' is not known here; write for example SHA-256", e)
                }
            val bytes =
                try {
                    HexFormat.of().parseHex(expected.trim())
                } catch (e: IllegalArgumentException) {
                    throw IllegalArgumentException("digest '$expected' is not hexadecimal; write ${length * 2} digits of 0-9 and a-f", e)
                }
            require(bytes.size == length) {
                "digest '$expected' has ${bytes.size * 2} digits, but $algorithm has ${length * 2}; write all of them"
            }
            return Digest(algorithm, bytes)
        }
    }
}

internal fun hex(bytes: ByteArray): String = HexFormat.of().formatHex(bytes)
