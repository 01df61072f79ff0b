package dev.ratelimit.jvm.redis

import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.CommandOutput

/** An array of integers, read without a box for each. */
internal class LongsOutput : CommandOutput<String, String, LongArray>(StringCodec.UTF8, NONE) {
    private var filled = 0

    override fun multi(count: Int) {
        output = LongArray(count.coerceAtLeast(0))
    }

    override fun set(integer: Long) {
        get()[filled++] = integer
    }

    private companion object {
        val NONE = LongArray(0)
    }
}
