package dev.ratelimit.jvm.redis

import java.security.MessageDigest

/** The script that decides, put together from the files beside this class's resources. */
internal object Script {
    private val FILES =
        listOf("exact", "token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log", "buckets", "store")

    /** Its text, as EVAL takes it. */
    val text: String = FILES.joinToString("\n") { read("$it.lua") }

    /** Its name, as EVALSHA takes it. */
    val digest: String =
        MessageDigest.getInstance("SHA-1").digest(text.toByteArray()).joinToString("") { "%02x".format(it) }

    private fun read(file: String): String =
        checkNotNull(Script::class.java.getResourceAsStream(file)) { "$file is missing from the jar of ratelimit-jvm" }
            .use { it.readBytes().decodeToString() }
}
