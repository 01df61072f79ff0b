package dev.ratelimit.jvm.shared

import java.lang.invoke.MethodHandles
import java.lang.invoke.VarHandle
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.LongBuffer

/**
 * The words of a mapped part of a file, which other processes read and write at the same time.
 *
 * Where the file was cut short beneath the mapping, a read or a write of compiled code does nothing at all, and the JVM throws an
 * [InternalError] some time later. [look] is the way of reading that cannot be deceived: it copies, and where there is nothing
 * to copy from, the answer is 0.
 *
 * Open for tests, in which something happens between two reads.
 */
internal open class Words(
    private val bytes: ByteBuffer,
) {
    init {
        bytes.order(ByteOrder.nativeOrder())
    }

    private val longs: LongBuffer = bytes.asLongBuffer()

    /** The word at the byte [at]; what is read after it is not older. */
    open fun get(at: Int): Long {
        val word = bytes.getLong(at)
        VarHandle.acquireFence()
        return word
    }

    /** Writes what nobody else writes; whoever sees it sees all that was written before. */
    fun set(
        at: Int,
        word: Long,
    ) {
        VarHandle.releaseFence()
        bytes.putLong(at, word)
    }

    /**
     * Interpreted code compares and sets in a native function of the JVM that is not prepared for a fault: where the file was cut short it
     * would end the JVM. Interpreted reads, and all compiled code, are prepared. So the read comes first, and this is compiled
     * before it is used; only a JVM that never compiles (-Xint) can still be ended, by a cut between the two.
     */
    fun swap(
        at: Int,
        from: Long,
        to: Long,
    ): Boolean = bytes.getLong(at) == from && LONGS.compareAndSet(bytes, at, from, to)

    /**
     * For whoever looks at the word at [at] again and again: reads of what is not there any more may contradict each other for ever.
     *
     * @throws InternalError now and then, if the file has ended before it
     */
    fun retry(at: Int) {
        if (++retries % OFTEN == 0 && !isThere(at)) throw InternalError("the file ends before its word at $at")
    }

    /** Of all threads; some may be lost. */
    private var retries = 0

    /** Raises the word at [at] to [to], if it is less. */
    fun raise(
        at: Int,
        to: Long,
    ) {
        while (true) {
            val now = get(at)
            if (now >= to || swap(at, now, to)) return
            retry(at)
        }
    }

    /** As [get], but 0 where the file has ended; [scratch] is of 8 bytes and of no other use. */
    fun look(
        at: Int,
        scratch: ByteArray,
    ): Long {
        ARRAY.set(scratch, 0, 0L)
        bytes.get(at, scratch, 0, Layout.WORD)
        return ARRAY.get(scratch, 0) as Long
    }

    /**
     * Whether the file goes as far as the word at [at], which others may change meanwhile. Where nothing is, a copy leaves what was in the
     * array before; a word that is there would have to be each of the three in turn to look like that.
     */
    fun isThere(at: Int): Boolean {
        val scratch = ByteArray(Layout.WORD)
        return changes(at, scratch, 0) || changes(at, scratch, -1) || changes(at, scratch, UNLIKELY)
    }

    private fun changes(
        at: Int,
        scratch: ByteArray,
        before: Long,
    ): Boolean {
        ARRAY.set(scratch, 0, before)
        bytes.get(at, scratch, 0, Layout.WORD)
        return ARRAY.get(scratch, 0) as Long != before
    }

    fun copyTo(
        at: Int,
        array: LongArray,
    ) {
        longs.get(at / Layout.WORD, array, 0, array.size)
        VarHandle.acquireFence()
    }

    fun copyFrom(
        array: LongArray,
        at: Int,
    ) {
        VarHandle.releaseFence()
        longs.put(at / Layout.WORD, array, 0, array.size)
    }

    private companion object {
        val LONGS: VarHandle = MethodHandles.byteBufferViewVarHandle(LongArray::class.java, ByteOrder.nativeOrder())
        val ARRAY: VarHandle = MethodHandles.byteArrayViewVarHandle(LongArray::class.java, ByteOrder.nativeOrder())

        const val OFTEN = 64
        const val UNLIKELY = 0x5bd1e99527d4eb2dL

        /** Enough for the compiler: see [swap]. */
        const val CALLS_UNTIL_COMPILED = 10_000

        init {
            val words = Words(ByteBuffer.allocateDirect(Layout.WORD))
            for (i in 0L until CALLS_UNTIL_COMPILED) check(words.swap(0, i, i + 1))
        }
    }
}
