package dev.ratelimit.jvm.redis

import java.nio.ByteBuffer

/** An array of whole numbers in MessagePack, which Lua in Redis reads at once. None is negative. See https://msgpack.org. */
internal class PackedNumbers(
    size: Int,
) {
    private val buffer = ByteBuffer.allocate(HEAD + size * WIDEST).put(ARRAY32).putInt(size)

    fun add(number: Long): PackedNumbers =
        apply {
            when {
                number <= BYTE -> buffer.put(number.toByte())
                number <= UINT32 -> buffer.put(TYPE32).putInt(number.toInt())
                else -> buffer.put(TYPE64).putLong(number)
            }
        }

    fun bytes(): ByteArray = buffer.array().copyOf(buffer.position())

    private companion object {
        const val HEAD = 5
        const val WIDEST = 9
        const val BYTE = 0x7FL
        const val UINT32 = 0xFFFF_FFFFL
        const val ARRAY32 = 0xDD.toByte()
        const val TYPE32 = 0xCE.toByte()
        const val TYPE64 = 0xCF.toByte()
    }
}
