package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.jvm.shared.Words
import java.nio.ByteBuffer

/** Words of no file; after one of them was read, and before whoever has read it goes on, others may do something. */
internal class InterruptedWords(
    size: Int,
) : Words(ByteBuffer.allocateDirect(size)) {
    private val interruptions = HashMap<Int, () -> Unit>()

    /** Does [what] when the word at [at] has been read the next time. */
    fun afterRead(
        at: Int,
        what: () -> Unit,
    ) {
        interruptions[at] = what
    }

    override fun get(at: Int): Long = super.get(at).also { interruptions.remove(at)?.invoke() }
}
