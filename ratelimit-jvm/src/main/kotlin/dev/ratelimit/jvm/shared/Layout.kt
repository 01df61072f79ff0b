package dev.ratelimit.jvm.shared

/**
 * Where everything is in a shared file. All numbers are 64-bit words in the byte order of the machine, at multiples of 8 bytes.
 *
 *     0        header      fixed when the file is made, with a checksum (see FileHeader); then words that change:
 *              +128        shift: the store's time is System.nanoTime() + shift      +192  boot: the start of the machine it is for
 *              +256        seen: the latest time that any process has noted, twice   +320  dropped: when a full bucket last went, twice
 *              +384        the first cell that was never used                        +448  free blocks, a list for each of 15 sizes
 *     4096     stripes     1,024 words, each the right to make buckets of certain keys
 *     12288    members     256 entries of 64 bytes, one for each process (see Members)
 *     28672    records     1,024 of 1,600 bytes, four for each member: what it changes in several places at once (see Transaction)
 *     1667072  groups      of 16 slots, 896 bytes each (see Table):
 *
 *              +0   tags    16 words, the first half of each slot's tag
 *              +128 slots   16 of 48 bytes, a bucket each:
 *                           +0   meta     incarnation << 8 | algorithm; a slot that is used again has the next incarnation
 *                           +8   state    the bucket itself where one word holds it; else which block does; 0 for a free slot
 *                           +16  tag      the second half, and in its lowest 4 bits how often the bucket was asked, up to 15
 *                           +24  permits  +32  period  +40  burst: the limit that rules the bucket
 *
 *     then     cells       of 64 bytes in chunks of 1 MiB that are appended when they are needed: blocks of 2^n cells (see Arena)
 *
 * A slot, a stripe and a record are only ever changed by a compare-and-set on one word, or by whoever holds them alone; so a process
 * that is killed or stopped at any instant leaves everything as it was before, or as it was to be.
 */
internal object Layout {
    const val WORD = 8

    const val MAGIC = 0
    const val VERSION = 8
    const val BYTE_ORDER = 16
    const val MAX_KEYS = 24
    const val GROUP_COUNT = 32
    const val ORIGIN = 40
    const val SEED_0 = 48
    const val SEED_1 = 56
    const val FILE_ID = 64
    const val CHECKSUM = 72

    const val SHIFT = 128
    const val BOOT = 192
    const val SEEN = 256
    const val SEEN_AGAIN = 264
    const val DROPPED_AT = 320
    const val DROPPED_AT_AGAIN = 328
    const val NEXT_CELL = 384
    const val FREE_BLOCKS = 448

    const val STRIPES = 4096
    const val STRIPE_COUNT = 1024
    const val MEMBERS = STRIPES + STRIPE_COUNT * WORD
    const val MEMBER_COUNT = 256
    const val MEMBER_BYTES = 64
    const val RECORDS = MEMBERS + MEMBER_COUNT * MEMBER_BYTES
    const val RECORDS_PER_MEMBER = 4
    const val RECORD_BYTES = 1600
    const val GROUPS = RECORDS + MEMBER_COUNT * RECORDS_PER_MEMBER * RECORD_BYTES

    const val SLOTS_PER_GROUP = 16
    const val SLOTS = SLOTS_PER_GROUP * WORD
    const val SLOT_BYTES = 48
    const val GROUP_BYTES = SLOTS + SLOTS_PER_GROUP * SLOT_BYTES

    const val META = 0
    const val STATE = 8
    const val TAG = 16
    const val PERMITS = 24
    const val PERIOD = 32
    const val BURST = 40

    /** Keys find one of two groups with room up to this share of the slots. */
    private const val SLOTS_FOR_KEYS = 12

    private const val PAGE = 4096L

    /** The most keys of one file: a mapping has at most 2 GiB. */
    const val MOST_KEYS = (Int.MAX_VALUE - GROUPS - PAGE.toInt()) / GROUP_BYTES * SLOTS_FOR_KEYS

    fun groupsFor(maxKeys: Int): Int = maxOf(2, (maxKeys + SLOTS_FOR_KEYS - 1) / SLOTS_FOR_KEYS)

    /** Where the cells begin; the size of a file that has none yet. */
    fun cellsAt(groups: Int): Long = (GROUPS + groups.toLong() * GROUP_BYTES + PAGE - 1) / PAGE * PAGE

    fun tagAt(
        group: Int,
        i: Int,
    ): Int = GROUPS + group * GROUP_BYTES + i * WORD

    fun slotAt(
        group: Int,
        i: Int,
    ): Int = GROUPS + group * GROUP_BYTES + SLOTS + i * SLOT_BYTES
}
