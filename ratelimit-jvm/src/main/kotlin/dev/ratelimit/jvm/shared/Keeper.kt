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

/**
 * Keeps a store on the file that is at its path. Four times a second it looks whether that is still the one that is open, and whole; if
 * not, the store has none until there is one again, which is made if there is nothing at the path.
 */
internal class Keeper(
    private val path: Path,
    private val clockOf: (Words) -> NanoClock,
    private val make: () -> FileHeader,
) : AutoCloseable {
    @Volatile
    private var current: SharedBuckets? = Undisturbed.run(::opened)

    @Volatile
    private var failure: RateLimitStoreException? = null

    @Volatile
    private var isClosed = false
    private val watch: ScheduledFuture<*> = watched(WeakReference(this))

    /** The buckets now, or throws why there are none. */
    fun buckets(): SharedBuckets = current ?: throw broken()

    private fun broken(): RateLimitStoreException =
        if (isClosed) {
            RateLimitStoreException("the store on $path is closed; open it again", null)
        } else {
            RateLimitStoreException(failure?.message ?: "the shared file $path is being opened again; ask again in a moment", failure)
        }

    /** What a fault in the mapped memory means: the file was cut short. */
    fun faulted(fault: InternalError): RateLimitStoreException {
        executor.execute(::look)
        return RateLimitStoreException(
            "the shared file $path was cut short while it was in use; nothing is decided until it is whole",
            fault,
        )
    }

    @Synchronized
    private fun look() {
        if (isClosed) return
        val known = current
        try {
            if (known != null && known.isSound(path)) known.tick() else reopen(known)
        } catch (e: InternalError) {
            lost(known, RateLimitStoreException("the shared file $path was cut short while it was in use", e))
        } catch (e: IOException) {
            lost(known, RateLimitStoreException("the shared file $path cannot be read: $e", e))
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
        try {
            current = opened()
            known?.abandon()
            failure = null
            log.warn("the shared file {} was replaced; its limits begin anew", path)
        } catch (e: RateLimitStoreException) {
            lost(known, e)
        }
    }

    private fun lost(
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
        watch.cancel(false)
        val known = current
        current = null
        known?.close()
    }

    override fun toString(): String = "$path"

    private companion object {
        val log = LoggerFactory.getLogger(Keeper::class.java)
        const val LOOK_MILLIS = 250L

        /** One thread for the files of a process; apart from other timers, because a file system may keep it waiting. */
        val executor: ScheduledExecutorService =
            Executors.newSingleThreadScheduledExecutor { task -> Thread(task, "ratelimit-shared-file").apply { isDaemon = true } }

        /** Ends with the store, also with one that was forgotten without being closed. */
        @Suppress("TooGenericExceptionCaught")
        fun watched(keeper: WeakReference<Keeper>): ScheduledFuture<*> {
            lateinit var future: ScheduledFuture<*>
            val look = {
                val alive = keeper.get()
                if (alive == null) {
                    future.cancel(false)
                } else {
                    try {
                        alive.look()
                    } catch (e: Throwable) {
                        log.error("the shared file {} could not be looked after", alive, e)
                    }
                }
            }
            future = executor.scheduleWithFixedDelay({ look() }, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS)
            return future
        }
    }
}
