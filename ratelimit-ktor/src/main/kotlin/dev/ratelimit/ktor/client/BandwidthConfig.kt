package dev.ratelimit.ktor.client

import dev.ratelimit.Algorithm
import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.ktor.client.bandwidth.Bandwidth
import dev.ratelimit.ktor.client.bandwidth.Tariff
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import io.ktor.utils.io.KtorDsl

/** Which bytes of a compressed body count. Where nothing compresses a body, both are the same. */
public enum class ByteCount {
    /** Those that the engine reads or writes: the body as it is compressed on its way. */
    WIRE,

    /**
     * Those that the program reads or writes, after `ContentEncoding` has decoded a response and before it encodes a request. The bytes of
     * a response are charged as they arrive, and the rest when they are decoded, so that neither count ever runs ahead of the limit.
     */
    DECODED,
}

/**
 * How many bytes a second the bodies of a client may take; see [HttpRequestRateLimitConfig.bandwidth].
 *
 * Not thread-safe; used while the client is made, and never after.
 */
@KtorDsl
public class BandwidthConfig internal constructor() {
    private val downloads = BandwidthLimits("download")
    private val uploads = BandwidthLimits("upload")

    /** Which bytes of a compressed body count. */
    public var count: ByteCount = ByteCount.WIRE

    /** The limits of the bodies of responses. */
    public fun download(configure: BandwidthLimits.() -> Unit): Unit = downloads.configure()

    /** The limits of the bodies of requests. */
    public fun upload(configure: BandwidthLimits.() -> Unit): Unit = uploads.configure()

    internal fun build(store: RateLimitStore): Bandwidth {
        require(!downloads.isEmpty || !uploads.isEmpty) {
            "bandwidth has no limit and would limit nothing; write for example bandwidth { download { total(2.mebibytesPerSecond) } }"
        }
        return Bandwidth(downloads.build(store), uploads.build(store), count)
    }
}

/**
 * The limits of one direction. All that are given rule together: a chunk of a body waits for the permits of its call, of its host and of
 * all, and whoever stops waiting gives back those that it has.
 *
 * Limits are given as values, such as `2.mebibytesPerSecond`, or as a limiter of one's own. The latter is a handle: its `setLimits`
 * changes the rate while bodies are on their way, and its store lets clients and processes share the bandwidth. Several limits in one
 * call all rule, for example `total(2.mebibytesPerSecond, RateLimit.fixedWindow(100L shl 30, 1.days))`.
 *
 * A permit is a byte. Bodies move in chunks of at most a quarter of the burst, and never more than a mebibyte. Leaky buckets are refused,
 * because they turn away whoever comes when they are full, and a body cannot be turned away half-way.
 *
 * Not thread-safe; used while the client is made, and never after.
 */
@KtorDsl
public class BandwidthLimits internal constructor(
    private val direction: String,
) {
    private var total: ((RateLimitStore) -> RateLimiter)? = null
    private var perHost: ((RateLimitStore) -> KeyedRateLimiter<String>)? = null
    private var perCall: ((RateLimitStore) -> KeyedRateLimiter<String>)? = null

    internal val isEmpty: Boolean get() = total == null && perHost == null && perCall == null

    /**
     * What all calls of the client may take together.
     *
     * @throws IllegalArgumentException if there is no limit, one is a leaky bucket, or this was called before
     */
    public fun total(vararg limits: RateLimit) {
        checkOnce("total", total)
        val all = checked("total", limits.asList())
        total = { RateLimiter("http ${direction}s", *all, store = it) }
    }

    /**
     * As the other function of this name, by a limiter of one's own.
     *
     * @throws IllegalArgumentException if the limiter has a leaky bucket, or this was called before
     */
    public fun total(limiter: RateLimiter) {
        checkOnce("total", total)
        checked("total", limiter.limits())
        total = { limiter }
    }

    /**
     * What all calls to one host may take together, whatever their port.
     *
     * @throws IllegalArgumentException if there is no limit, one is a leaky bucket, or this was called before
     */
    public fun perHost(vararg limits: RateLimit) {
        checkOnce("perHost", perHost)
        val all = checked("perHost", limits.asList())
        perHost = { KeyedRateLimiter("http ${direction}s of a host", *all, store = it) }
    }

    /**
     * As the other function of this name, by a limiter of one's own; its keys are the hosts, in lower case and without a dot at the end.
     *
     * @throws IllegalArgumentException if the limiter has a leaky bucket, or this was called before
     */
    public fun perHost(limiter: KeyedRateLimiter<String>) {
        checkOnce("perHost", perHost)
        checked("perHost", limiter.limits())
        perHost = { limiter }
    }

    /**
     * What each call may take: one request and its response. Each hop of a redirect and each try of a retry is a call of its own. The
     * buckets are in memory, whatever [HttpRequestRateLimitConfig.store] is: nobody else has the same call.
     *
     * @throws IllegalArgumentException if there is no limit, one is a leaky bucket, or this was called before
     */
    public fun perCall(vararg limits: RateLimit) {
        checkOnce("perCall", perCall)
        val all = checked("perCall", limits.asList())
        perCall = { store ->
            val memory = if (store is LocalRateLimitStore) MemoryStore(store.clock()) else MemoryStore()
            KeyedRateLimiter("http $direction of a call", *all, store = memory)
        }
    }

    /**
     * As the other function of this name, by a limiter of one's own, whose limits then change for all calls at once; its keys are names
     * that no other call has.
     *
     * @throws IllegalArgumentException if the limiter has a leaky bucket, or this was called before
     */
    public fun perCall(limiter: KeyedRateLimiter<String>) {
        checkOnce("perCall", perCall)
        checked("perCall", limiter.limits())
        perCall = { limiter }
    }

    internal fun build(store: RateLimitStore): Tariff? =
        if (isEmpty) null else Tariff(total?.invoke(store), perHost?.invoke(store), perCall?.invoke(store))

    private fun checkOnce(
        scope: String,
        known: Any?,
    ) = require(known == null) { "$direction { $scope } is given twice; give all limits of $scope in one call, or one limiter" }

    private fun checked(
        scope: String,
        limits: List<RateLimit>,
    ): Array<RateLimit> {
        require(limits.isNotEmpty()) { "$direction { $scope } has no limit; write for example $scope(2.mebibytesPerSecond)" }
        val leaky = limits.firstOrNull { it.algorithm() == Algorithm.LEAKY_BUCKET }
        require(leaky == null) {
            "$direction { $scope } has the limit '$leaky', which refuses instead of waiting when it is full; " +
                "write for example $scope(2.mebibytesPerSecond)"
        }
        return limits.toTypedArray()
    }
}
