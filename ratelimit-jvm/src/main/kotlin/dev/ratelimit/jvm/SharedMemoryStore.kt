package dev.ratelimit.jvm

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.shared.Ask
import dev.ratelimit.jvm.shared.Faults
import dev.ratelimit.jvm.shared.FileHeader
import dev.ratelimit.jvm.shared.Keeper
import dev.ratelimit.jvm.shared.KeptTime
import dev.ratelimit.jvm.shared.Layout
import dev.ratelimit.jvm.shared.SharedBuckets
import dev.ratelimit.jvm.shared.SharedClock
import dev.ratelimit.jvm.shared.StoredLimit
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import java.io.IOException
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/**
 * Buckets in a file that all processes of a machine map into their memory: one limit for all of them, with no server and no parent. Whoever
 * comes first makes the file; it stays when the last has gone.
 *
 * One limit on one key is decided by a single compare-and-set on the mapped memory, without a system call. Several limits or keys are
 * decided together, at most 60 in one list. A process that is killed at any instant leaves a state that holds, and holds up nobody:
 * whatever it had not finished is undone, and at most the permits of its last call are lost. One that is stopped holds up nobody either.
 *
 * **Keys** stand in the file as hashes of 128 bits with a secret of the file's own (SipHash), so two keys share a bucket with a
 * probability below 10⁻²⁰, and nobody can find two that do. A key is a text, a number, a UUID, or anything whose `toString` is the same
 * in every process. There is room for [maxKeys] of them. An idle bucket that is full again gives its room back, which loses nothing;
 * under a flood of keys the one that was asked least goes. A key takes 75 bytes of file, more for a sliding log, which takes 16 bytes or
 * more for each grant in force and is copied for each change; beyond 16,384 grants at different instants, neighbours count as if they
 * were granted at the later one's instant, which is toward less.
 *
 * **Time** is the machine's own count since it was started, so steps of the wall clock change nothing. The wall clock is read when the
 * file is made and when the machine has started anew, and windows are aligned to the epoch by that. After a restart or a sleep of the
 * machine everything is right within one refill.
 *
 * **The file** has mode 0600 where the system knows modes. One that is a symbolic link, belongs to another user, is open to others, or
 * was not made by this library is refused and left as it is. If it is deleted or replaced, all processes go on with a new one within half
 * a second, and the limits begin anew; if it is cut short or its header is damaged, every call fails with [RateLimitStoreException] until
 * it has been deleted. It belongs on a local file system (`/dev/shm`, tmpfs, ext4, xfs); not on a network.
 *
 * Thread-safe. Several stores of one process, also of different class loaders, may have the same file open.
 */
public class SharedMemoryStore private constructor(
    private val keeper: Keeper,
    private val time: NanoClock,
) : LocalRateLimitStore {
    /** The keys that the file has room for; whoever made the file has chosen that. */
    public val maxKeys: Int get() = guarded { it.maxKeys }

    /** How many buckets the file has now. Looks at all of its slots. */
    public val size: Int get() = guarded { it.table.size() }

    override fun clock(): NanoClock = time

    /**
     * Asks the buckets; a fault of the mapped memory becomes an exception of the store. Two faults may come one after another, the second
     * while the first is handled.
     */
    internal inline fun <T> guarded(question: (SharedBuckets) -> T): T =
        try {
            attempted(question)
        } catch (e: InternalError) {
            throw faulted(e)
        }

    internal inline fun <T> attempted(question: (SharedBuckets) -> T): T {
        val buckets = keeper.buckets()
        val failure =
            try {
                return question(buckets)
            } catch (e: RateLimitStoreException) {
                Faults.drain()
                e
            } catch (e: InternalError) {
                faulted(e)
            } catch (e: IOException) {
                faulted(e)
            }
        throw failure
    }

    internal fun buckets(): SharedBuckets = keeper.buckets()

    internal fun faulted(fault: Throwable): RateLimitStoreException {
        Faults.drain()
        return keeper.faulted(fault)
    }

    override fun tryAcquire(
        charges: List<Charge>,
        at: Long,
        maxDelayNanos: Long,
    ): RateLimitResult = guarded { it.tryAcquire(it.asks(charges), it.instantOf(at), maxDelayNanos) }

    override fun peek(
        charges: List<Charge>,
        at: Long,
        ahead: Long,
    ): RateLimitResult = guarded { it.peek(it.asks(charges), it.instantOf(at), ahead) }

    override fun adjust(adjustments: List<Adjustment>): Unit =
        guarded { buckets ->
            buckets.adjust(adjustments.map { buckets.ask(it.key, it.limit, it.permits) }, buckets.now())
        }

    override fun reset(keys: List<BucketKey>): Unit = guarded { it.reset(keys) }

    override fun check(limit: RateLimit): Unit = StoredLimit.check(limit)

    override fun declareAsync(
        limiter: String,
        member: String,
        limits: List<RateLimit>,
        validity: Duration,
    ): CompletionStage<Set<RateLimit>> =
        try {
            CompletableFuture.completedFuture(guarded { it.declare(limiter, member, limits, it.now() + validity.toNanos()) })
        } catch (e: RateLimitStoreException) {
            CompletableFuture.failedFuture(e)
        }

    private fun SharedBuckets.asks(charges: List<Charge>): List<Ask> {
        require(charges.isNotEmpty()) { "charges are empty; charge at least one bucket" }
        return charges.map { ask(it.key, it.limit, it.permits) }
    }

    private fun SharedBuckets.ask(
        key: BucketKey,
        limit: RateLimit,
        permits: Long,
    ): Ask {
        StoredLimit.check(limit)
        return rule(key.limiter, key.slot, limit).let { Ask(it, it.tagOf(key.key), permits) }
    }

    /** Leaves the file to the others. */
    override fun close(): Unit = keeper.close()

    override fun toString(): String = "SharedMemoryStore($keeper)"

    public companion object {
        /** The keys for which a file is made unless another number is given. */
        public const val DEFAULT_MAX_KEYS: Int = 100_000

        /**
         * The store in the file at [path], which is made if there is none.
         *
         * @param maxKeys the keys to make room for, 75 bytes each, if the file is made now; at least 1
         * @throws IllegalArgumentException if [maxKeys] is not positive or more than a file holds
         * @throws RateLimitStoreException if the file cannot be made, or is none that this library may use; then it was left as it is
         */
        @JvmStatic
        @JvmOverloads
        public fun open(
            path: Path,
            maxKeys: Int = DEFAULT_MAX_KEYS,
        ): SharedMemoryStore {
            checked(maxKeys)
            val keeper = Keeper(path, ::SharedClock) { FileHeader.create(maxKeys, SharedClock.wallNanos()) }
            return SharedMemoryStore(keeper, KeptTime(keeper))
        }

        /**
         * As the other function of this name, on the time of [clock], which has to be one for all who open the file: for tests.
         */
        @JvmStatic
        public fun open(
            path: Path,
            maxKeys: Int,
            clock: NanoClock,
        ): SharedMemoryStore {
            checked(maxKeys)
            return SharedMemoryStore(Keeper(path, { clock }) { FileHeader.create(maxKeys, clock.nanoTime()) }, clock)
        }

        private fun checked(maxKeys: Int): Int {
            require(maxKeys in 1..Layout.MOST_KEYS) {
                "maxKeys $maxKeys is not possible; write 1 to ${Layout.MOST_KEYS}, for example $DEFAULT_MAX_KEYS"
            }
            return maxKeys
        }
    }
}
