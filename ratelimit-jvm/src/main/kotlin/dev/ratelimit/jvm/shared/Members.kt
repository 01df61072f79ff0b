package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimitStoreException
import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.channels.FileLock
import java.nio.channels.OverlappingFileLockException
import java.security.SecureRandom

/**
 * The processes that have the file open, an entry of 64 bytes for each: which it is, and when it was last seen.
 *
 * An entry of a process that is dead is given to another, and what it had begun is ended first. A process that merely stands still is not
 * dead: it may go on at any time. Where process ids mean the same to both, they tell; elsewhere the process is dead if it no longer
 * holds the lock on its byte, which the system takes from it, and was not seen for a while.
 */
internal class Members(
    private val words: Words,
    private val channel: FileChannel,
    private val marks: Marks,
    private val clock: () -> Long,
) {
    private var lock: FileLock? = null

    /** The number of this process's entry. */
    val own: Int = join()

    private val me = words.get(entryOf(own) + OWNER)

    private fun join(): Int {
        try {
            repeat(2) {
                (0 until Layout.MEMBER_COUNT).firstOrNull { words.get(entryOf(it) + OWNER) == NOBODY && take(it) }?.let { return it }
                sweep()
            }
        } catch (e: IOException) {
            throw RateLimitStoreException("the shared file cannot be locked: ${e.message}; put it on a file system of this machine", e)
        }
        throw RateLimitStoreException(
            "${Layout.MEMBER_COUNT} processes have the shared file open, which is the most; use another file",
            null,
        )
    }

    private fun take(i: Int): Boolean {
        val mine = locked(i) ?: return false
        val entry = entryOf(i)
        // Whoever has the lock is alone here; but it may have come from one who was killed after he had taken the entry.
        if (words.get(entry + OWNER) != NOBODY) {
            mine.release()
            return false
        }
        // Who the owner is stands there before the entry is his.
        words.set(entry + SEEN, clock())
        words.set(entry + SPACE, Machine.pidSpace)
        words.set(entry + BOOT, Machine.boot)
        words.set(entry + START, Machine.startOf(Machine.pid) ?: 0)
        words.set(entry + PID, Machine.pid)
        if (words.swap(entry + OWNER, NOBODY, SecureRandom().nextLong() or 1)) {
            lock = mine
        } else {
            mine.release()
        }
        return lock != null
    }

    /** The lock on the byte of an entry, far behind the end of the file; null if another process, or another store of this one, has it. */
    private fun locked(i: Int): FileLock? =
        try {
            channel.tryLock(LOCKS + i, 1, false)
        } catch (ignored: OverlappingFileLockException) {
            null
        }

    fun beat() = words.set(entryOf(own) + SEEN, clock())

    /** Frees the entries of the dead. */
    fun sweep() {
        for (i in 0 until Layout.MEMBER_COUNT) {
            val owner = words.get(entryOf(i) + OWNER)
            if (owner == NOBODY || owner == me || !isDead(i)) continue
            // After its death, so that they are its last; before its entry is looked at again, so that they are not another's.
            val statuses = recordsOf(i).map(marks::statusOfRecord)
            if (words.get(entryOf(i) + OWNER) == owner) bury(i, owner, statuses)
        }
    }

    private fun bury(
        i: Int,
        owner: Long,
        statuses: List<Long>,
    ) {
        recordsOf(i).forEachIndexed { n, record -> marks.settleRecord(record, statuses[n]) }
        words.swap(entryOf(i) + OWNER, owner, NOBODY)
    }

    private fun isDead(i: Int): Boolean {
        val entry = entryOf(i)
        if (words.get(entry + BOOT) != Machine.boot) return true
        if (words.get(entry + SPACE) == Machine.pidSpace) return Machine.startOf(words.get(entry + PID)) != words.get(entry + START)
        return clock() - words.get(entry + SEEN) > SILENCE_NANOS && runCatching { locked(i)?.release() }.getOrNull() != null
    }

    /** The records of this process. */
    fun records(): IntRange = recordsOf(own)

    private fun recordsOf(member: Int) = member * Layout.RECORDS_PER_MEMBER until (member + 1) * Layout.RECORDS_PER_MEMBER

    /** Gives the entry up. Nothing may be under way. */
    fun leave() {
        words.swap(entryOf(own) + OWNER, me, NOBODY)
        runCatching { lock?.release() }
    }

    private fun entryOf(member: Int) = Layout.MEMBERS + member * Layout.MEMBER_BYTES

    private companion object {
        const val OWNER = 0
        const val PID = 8
        const val START = 16
        const val BOOT = 24
        const val SPACE = 32
        const val SEEN = 40
        const val NOBODY = 0L
        const val LOCKS = 1L shl 62
        const val SILENCE_NANOS = 10_000_000_000L
    }
}
