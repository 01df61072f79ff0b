package dev.ratelimit.ktor.server.rules

import java.security.MessageDigest
import java.util.HexFormat

/** How keys are kept and shown. */
internal object Keys {
    /** Longer ones are hashed, so that what is shown of a key is always enough to find it. */
    const val LONGEST = 128
    private const val HASHED = "sha256:"
    private const val HASH_BYTES = 16
    private const val HEX = 2
    private val hash = Regex("$HASHED[0-9a-f]{${HASH_BYTES * HEX}}")

    /**
     * The text that stands for [key]: itself, or a hash of it where it may be a secret or is long.
     *
     * @throws IllegalArgumentException if the key has no text of its own: calls of one caller would have a bucket each
     */
    fun text(
        key: Any,
        isSecret: Boolean,
        scope: String,
    ): String {
        val text = key as? String ?: key.toString()
        require(key is String || hasOwnText(key, text)) {
            "key $text of '$scope' has no text that tells it from others; find a String, a number, or a value with a toString of its own"
        }
        return if (isSecret || text.length > LONGEST) hashed(text) else text
    }

    /** What [text] finds that an administrator writes: of a secret either itself or what is shown of it. */
    fun sought(
        text: String,
        isSecret: Boolean,
        scope: String,
    ): String = if (hash.matches(text)) text else text(text, isSecret, scope)

    fun hashed(text: String): String {
        val digest = MessageDigest.getInstance("SHA-256").digest(text.toByteArray())
        return HASHED + HexFormat.of().formatHex(digest, 0, HASH_BYTES)
    }

    private fun hasOwnText(
        key: Any,
        text: String,
    ): Boolean {
        val hashes = listOf(System.identityHashCode(key), key.hashCode())
        return hashes.none { text == key.javaClass.name + "@" + Integer.toHexString(it) }
    }
}
