package dev.ratelimit.jvm.shared

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitStoreException
import org.slf4j.LoggerFactory
import java.io.IOException
import java.lang.ref.WeakReference
import java.nio.file.Path
import java.util.concurrent.Executors
import java.util.concurrent.ScheduledExecutorService
import java.util.concurrent.ScheduledFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Keeps a store on the file that is at its path. Four times a second it looks whether that is still the one that is open, and whole; if
 * not, the store has none until there is one again, which is made if there is nothing at the path.
 */
internal class Keeper(
    path: Path,
    clockOf: (Words) -> NanoClock,
    make: () -> FileHeader,
) : AutoCloseable {
    private val kept = Kept(path, clockOf, make)
    private val watch = watched(WeakReference(this), kept)

    /** The buckets now, or throws why there are none. */
    fun buckets(): SharedBuckets = kept.current ?: throw kept.broken(null)

    /** The clock of the file that is open, or of the last one. */
    val clock: NanoClock get() = kept.clock

    /** What a fault means: of the mapped memory, that the file was cut short; else that it was replaced or closed meanwhile. */
    fun faulted(fault: Throwable): RateLimitStoreException {
        if (kept.isAsked.compareAndSet(false, true)) executor.execute { guarded(kept::look) }
        return kept.broken(fault)
    }

    override fun close() {
        watch.cancel(false)
        kept.close()
    }

    override fun toString(): String = "${kept.path}"

    private companion object {
        val log = LoggerFactory.getLogger(Keeper::class.java)
        const val LOOK_MILLIS = 250L

        /** One thread for the files of a process; apart from other timers, because a file system may keep it waiting. */
        val executor: ScheduledExecutorService =
            Executors.newSingleThreadScheduledExecutor { task -> Thread(task, "ratelimit-shared-file").apply { isDaemon = true } }

        /** What a look throws would end all looks that are to come. */
        @Suppress("TooGenericExceptionCaught")
        fun guarded(look: () -> Unit) {
            try {
                look()
            } catch (e: Throwable) {
                Faults.drain()
                log.error("a shared file could not be looked after", e)
            }
        }

        /** Ends with the keeper, also with one that was forgotten without being closed. */
        fun watched(
            keeper: WeakReference<Keeper>,
            kept: Kept,
        ): ScheduledFuture<*> {
            val look = { if (keeper.get() == null) kept.close() else kept.look() }
            return executor.scheduleWithFixedDelay({ if (!kept.isClosed) guarded(look) }, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS)
        }
    }
}

/** The time of the file, which goes on also while there is none. */
internal class KeptTime(
    private val keeper: Keeper,
) : NanoClock {
    override fun nanoTime(): Long {
        // The count first: a processor finishes all that stands before it, and does what stands behind it at the same time.
        val count = System.nanoTime()
        return (keeper.clock as SharedClock).at(count)
    }
}

/** The file that is open, if there is one. */
private class Kept(
    val path: Path,
    private val clockOf: (Words) -> NanoClock,
    private val make: () -> FileHeader,
) : AutoCloseable {
    @Volatile
    var current: SharedBuckets? = Undisturbed.run(::opened)
        private set

    @Volatile
    var clock: NanoClock = checkNotNull(current).clock
        private set

    @Volatile
    private var failure: RateLimitStoreException? = null

    @Volatile
    var isClosed = false
        private set

    /** Whether somebody wants a look sooner. */
    val isAsked = AtomicBoolean()

    fun broken(fault: Throwable?): RateLimitStoreException =
        when {
            isClosed -> RateLimitStoreException("the store on $path is closed; open it again", fault)
            failure != null -> RateLimitStoreException("${failure?.message}", failure)
            else -> RateLimitStoreException("the shared file $path was cut short or replaced just now; ask again in a moment", fault)
        }

    @Synchronized
    @Suppress("TooGenericExceptionCaught")
    fun look() {
        isAsked.set(false)
        if (isClosed) return
        val known = current
        try {
            if (known != null && known.isSound(path)) known.tick() else reopen(known)
        } catch (e: RateLimitStoreException) {
            lose(known, e)
        } catch (e: InternalError) {
            Faults.drain()
            lose(known, RateLimitStoreException("the shared file $path was cut short while it was in use", e))
        } catch (e: Exception) {
            lose(known, RateLimitStoreException("the shared file $path cannot be looked after: $e", e))
        }
    }

    private fun opened(): SharedBuckets {
        val opened = Opening.open(path, make)
        var buckets: SharedBuckets? = null
        try {
            return SharedBuckets(opened, clockOf).also { buckets = it }
        } catch (e: InternalError) {
            throw RateLimitStoreException("the shared file $path was cut short while it was opened", e)
        } catch (e: IOException) {
            throw RateLimitStoreException("the shared file $path cannot be opened: $e", e)
        } finally {
            if (buckets == null) opened.close()
        }
    }

    private fun reopen(known: SharedBuckets?) {
        val next = opened()
        clock = next.clock
        current = next
        failure = null
        known?.abandon()
        log.warn("the shared file {} was replaced; its limits begin anew", path)
    }

    private fun lose(
        known: SharedBuckets?,
        cause: RateLimitStoreException,
    ) {
        if (failure == null) log.warn("no limits can be kept: {}", cause.message)
        failure = cause
        current = null
        known?.abandon()
    }

    @Synchronized
    override fun close() {
        if (isClosed) return
        isClosed = true
        val known = current
        current = null
        known?.close()
    }

    private companion object {
        val log = LoggerFactory.getLogger(Keeper::class.java)
    }
}
