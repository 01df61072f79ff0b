package dev.ratelimit.jvm.shared

import java.lang.invoke.MethodHandles
import java.lang.invoke.VarHandle
import java.nio.ByteOrder

/**
 * SipHash-2-4 with 128 bits of result: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and the 128-bit form of
 * their reference implementation. With a secret key nobody can make two texts collide on purpose; by accident two of a billion do with a
 * probability below 10⁻²⁰.
 */
internal class SipHash128 private constructor(
    private var v0: Long,
    private var v1: Long,
    private var v2: Long,
    private var v3: Long,
    private var length: Int,
) {
    constructor(k0: Long, k1: Long) : this(
        k0 xor 0x736f6d6570736575,
        k1 xor 0x646f72616e646f6d xor DOUBLE,
        k0 xor 0x6c7967656e657261,
        k1 xor 0x7465646279746573,
        0,
    )

    fun copy() = SipHash128(v0, v1, v2, v3, length)

    /** Takes in eight bytes. */
    fun add(block: Long) {
        v3 = v3 xor block
        round()
        round()
        v0 = v0 xor block
        length += Layout.WORD
    }

    /** Takes in the last bytes. */
    fun finish(bytes: ByteArray): KeyTag {
        val whole = bytes.size and (Layout.WORD - 1).inv()
        for (i in 0 until whole step Layout.WORD) add(WORDS.get(bytes, i) as Long)
        var last = (length + bytes.size - whole).toLong() shl LAST_BYTE
        for (i in bytes.size - 1 downTo whole) last = last or ((bytes[i].toLong() and BYTE) shl ((i - whole) * Layout.WORD))
        add(last)
        v2 = v2 xor FIRST_HALF
        repeat(FINAL_ROUNDS) { round() }
        val first = v0 xor v1 xor v2 xor v3
        v1 = v1 xor SECOND_HALF
        repeat(FINAL_ROUNDS) { round() }
        return KeyTag(first, v0 xor v1 xor v2 xor v3)
    }

    private fun round() {
        v0 += v1
        v2 += v3
        v1 = v1.rotateLeft(13) xor v0
        v3 = v3.rotateLeft(16) xor v2
        v0 = v0.rotateLeft(32)
        v2 += v1
        v0 += v3
        v1 = v1.rotateLeft(17) xor v2
        v3 = v3.rotateLeft(21) xor v0
        v2 = v2.rotateLeft(32)
    }

    private companion object {
        const val DOUBLE = 0xeeL
        const val FIRST_HALF = 0xeeL
        const val SECOND_HALF = 0xddL
        const val FINAL_ROUNDS = 4
        const val LAST_BYTE = 56
        const val BYTE = 0xffL
        val WORDS: VarHandle = MethodHandles.byteArrayViewVarHandle(LongArray::class.java, ByteOrder.LITTLE_ENDIAN)
    }
}

/** What stands for a key in the file. */
internal class KeyTag(
    @JvmField val first: Long,
    @JvmField val second: Long,
)
