package dev.ratelimit.jvm.redis

import java.security.MessageDigest

/** A script put together from the files beside this class's resources. */
internal class Script private constructor(
    vararg files: String,
) {
    /** Its text, as EVAL takes it. */
    val text: String = files.joinToString("\n") { read("$it.lua") }

    /** Its name, as EVALSHA takes it. */
    val digest: String =
        MessageDigest.getInstance("SHA-1").digest(text.toByteArray()).joinToString("") { "%02x".format(it) }

    private fun read(file: String): String =
        checkNotNull(Script::class.java.getResourceAsStream(file)) { "$file is missing from the jar of ratelimit-jvm" }
            .use { it.readBytes().decodeToString() }

    companion object {
        /** Answers the common question. */
        val ONES = Script("ones")

        /** Answers every question. */
        val LISTS =
            Script("exact", "token_bucket", "leaky_bucket", "window", "fixed_window", "sliding_window", "sliding_log", "buckets", "store")

        /** Tells which limits live processes go by. */
        val DECLARE = Script("declare")

        /** Adds to numbers that all processes add to. */
        val TALLY = Script("tally")

        /** Tells those numbers. */
        val TALLIES = Script("tallies")
    }
}
