package dev.ratelimit.jvm.shared

/**
 * Room for states of more than one word: blocks of 2^n cells of 64 bytes, each with its length in the first word. A block is written by the
 * one who took it, before anybody else can know of it, and never changed after that; a new state is a new block. So a process that is
 * killed tears nothing. A block that it had taken at that moment is lost to the file.
 *
 * Free blocks of a size are a stack: Treiber, "Systems programming: coping with parallelism", IBM RJ 5118, 1986. Its top carries a
 * count, so that a block that has come back is not taken for the one that was there before.
 */
internal class Arena(
    private val words: Words,
    private val chunks: Chunks,
) {
    /** A block that holds [state]; the version goes on from [before], the state's word that it replaces. */
    fun write(
        state: LongArray,
        before: Long,
    ): Long {
        val size = sizeFor(state.size)
        val cell = pop(size) ?: carve(size)
        val block = chunks.at(cell)
        block.set(offsetOf(cell), state.size.toLong())
        block.copyFrom(state, offsetOf(cell) + Layout.WORD)
        check(block, cell, state.size)
        return State.encoded((((State.decoded(before) ushr CELL_BITS) + 1 and VERSIONS) shl CELL_BITS) or cell)
    }

    /**
     * The state in the block that [word] names; null if that is none, because the word is older than what it was read with, or damaged.
     * Whoever reads looks at the word again: only if it is the same was the block not used for something else meanwhile.
     */
    fun read(word: Long): LongArray? {
        val cell = cellOf(word)
        val length = lengthAt(cell) ?: return null
        val block = chunks.at(cell)
        val state = LongArray(length)
        block.copyTo(offsetOf(cell) + Layout.WORD, state)
        check(block, cell, length)
        return state
    }

    /** The slots may be there while the file was cut short beneath the block. */
    private fun check(
        block: Words,
        cell: Long,
        length: Int,
    ) {
        if (!block.isThere(offsetOf(cell) + length * Layout.WORD)) throw InternalError("the file ends before its cell $cell")
    }

    private fun lengthAt(cell: Long): Int? {
        if (!isCell(cell)) return null
        val length = chunks.at(cell).get(offsetOf(cell))
        val room = (CELLS_PER_CHUNK - cell % CELLS_PER_CHUNK) * WORDS_PER_CELL - 1
        return if (length in 1..room) length.toInt() else null
    }

    /** The block of [word] is not used any more: the caller has just taken the word away, or has not let anybody see it. */
    fun free(word: Long) {
        val cell = cellOf(word)
        val size = sizeFor(lengthAt(cell) ?: return)
        val top = Layout.FREE_BLOCKS + size * Layout.WORD
        while (true) {
            val first = words.get(top)
            chunks.at(cell).set(offsetOf(cell), cellOfTop(first))
            if (words.swap(top, first, next(first, cell))) return
            words.retry(top)
        }
    }

    private fun pop(size: Int): Long? {
        val top = Layout.FREE_BLOCKS + size * Layout.WORD
        while (true) {
            val first = words.get(top)
            val cell = cellOfTop(first)
            if (cell == 0L) return null
            // A list that leads nowhere is damaged; its blocks are lost, and no more.
            val isBlock = isBlock(cell, size)
            val following = if (isBlock) chunks.at(cell).get(offsetOf(cell)) else 0
            val sound = following == 0L || isBlock(following, size)
            if (words.swap(top, first, next(first, if (sound) following else 0)) && isBlock) return cell
            words.retry(top)
        }
    }

    /** Cells that were never used. No block lies in two chunks. */
    private fun carve(size: Int): Long {
        val cells = 1L shl size
        while (true) {
            val next = words.get(Layout.NEXT_CELL)
            if (next < 0) throw damaged()
            // The first cell is none, so that 0 can stand for no block.
            val from = maxOf(next, 1)
            val room = CELLS_PER_CHUNK - from % CELLS_PER_CHUNK
            val cell = if (room < cells) from + room else from
            chunks.extendTo(cell / CELLS_PER_CHUNK)
            if (words.swap(Layout.NEXT_CELL, next, cell + cells)) return cell.also { lookAhead(it, cells) }
            words.retry(Layout.NEXT_CELL)
        }
    }

    /** Half-way through a chunk, the next one is made. */
    private fun lookAhead(
        cell: Long,
        cells: Long,
    ) {
        val place = cell % CELLS_PER_CHUNK
        if (place < CELLS_PER_CHUNK / 2 && place + cells >= CELLS_PER_CHUNK / 2) chunks.prepare(cell / CELLS_PER_CHUNK + 1)
    }

    /** Now and then: what others have carved, or soon will, is at hand. */
    fun follow() = chunks.follow(words.get(Layout.NEXT_CELL).coerceAtLeast(0) / CELLS_PER_CHUNK)

    private fun isBlock(
        cell: Long,
        size: Int,
    ) = isCell(cell) && cell % CELLS_PER_CHUNK + (1L shl size) <= CELLS_PER_CHUNK

    private fun isCell(cell: Long) = cell in 1 until words.get(Layout.NEXT_CELL) && chunks.has(cell / CELLS_PER_CHUNK)

    private fun next(
        top: Long,
        cell: Long,
    ) = (((top ushr CELL_BITS) + 1) shl CELL_BITS) or cell

    private fun cellOfTop(top: Long) = top and CELLS

    companion object {
        private const val CELL_BITS = 28
        private const val CELLS = (1L shl CELL_BITS) - 1
        private const val VERSIONS = (1L shl 32) - 1
        private const val WORDS_PER_CELL = 8
        const val CELL_BYTES = 64
        const val CELLS_PER_CHUNK = 16_384L
        const val CHUNK_BYTES = CELLS_PER_CHUNK * CELL_BYTES
        private const val SIZES = 15

        private fun cellOf(word: Long) = State.decoded(word) and CELLS

        private fun offsetOf(cell: Long) = (cell % CELLS_PER_CHUNK).toInt() * CELL_BYTES

        /** The least n for which 2^n cells hold so many words. */
        private fun sizeFor(length: Int): Int {
            val cells = (length + 1 + WORDS_PER_CELL - 1) / WORDS_PER_CELL
            val size = Int.SIZE_BITS - (cells - 1).countLeadingZeroBits()
            check(size < SIZES) { "a state of $length words is larger than a shared file holds for one key" }
            return size
        }
    }
}
