package dev.ratelimit.jvm.store

/**
 * What stands for a caller's key outside this process. A text stands for itself; other keys have their [type] beside their text, for the
 * number 1 is not the text 1.
 */
internal class KeyText private constructor(
    @JvmField val type: String?,
    @JvmField val text: String,
) {
    companion object {
        /** Throws if the key's text is not the same in every process. */
        fun of(key: Any): KeyText {
            if (key is String) return KeyText(null, key)
            val text = key.toString()
            val type = if (key is Enum<*>) key.declaringJavaClass.name else key.javaClass.name
            val hashes = listOf(System.identityHashCode(key), key.hashCode())
            require(hashes.none { text == key.javaClass.name + "@" + Integer.toHexString(it) }) {
                "key $text of ${key.javaClass.name} has no text that is the same in every process; use a String, a number, a UUID, " +
                    "or a class with a toString of its own"
            }
            return KeyText(type.removePrefix("java.lang.").removePrefix("java.util."), text)
        }
    }
}
