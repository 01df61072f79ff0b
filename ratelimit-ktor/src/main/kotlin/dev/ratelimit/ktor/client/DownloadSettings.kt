package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitListener
import dev.ratelimit.spi.RateLimitStore
import java.nio.file.Path
import java.util.function.Consumer
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toKotlinDuration
import java.time.Duration as JavaDuration

/** How a [Downloader] works. Immutable; made by [builder]. The defaults are polite: one request a second to each host. */
public class DownloadSettings internal constructor(
    internal val limits: HttpRequestRateLimitConfig.() -> Unit,
    internal val place: StorePlace,
    /** How many files are downloaded at a time. */
    public val parallelism: Int,
    /** How often a file is asked for again, at most. */
    public val retries: Int,
    /** What the downloader calls itself. */
    public val userAgent: String,
    internal val connectTimeout: Duration,
    internal val socketTimeout: Duration,
) {
    public companion object {
        /** One request a second to each host, four files at a time, three retries. */
        @JvmField
        public val DEFAULT: DownloadSettings = builder().build()

        /** Other settings than the defaults. */
        @JvmStatic
        public fun builder(): DownloadSettingsBuilder = DownloadSettingsBuilder()
    }
}

/** Where the buckets are; at most one of these is set. */
internal class StorePlace(
    val store: RateLimitStore?,
    val redisUrl: String?,
    val keyPrefix: String?,
    val sharedFile: Path?,
)

/** Made by [DownloadSettings.builder]. Not thread-safe; the settings are. */
public class DownloadSettingsBuilder internal constructor() {
    private var rate: List<RateLimit>? = null
    private val limits = mutableListOf<HttpRequestRateLimitConfig.() -> Unit>()
    private var listener: RateLimitListener? = null
    private var store: RateLimitStore? = null
    private var redisUrl: String? = null
    private var keyPrefix: String? = null
    private var sharedFile: Path? = null
    private var parallelism = DEFAULT_PARALLELISM
    private var retries = DEFAULT_RETRIES
    private var userAgent = "ratelimit-downloader"
    private var connectTimeout = 10.seconds
    private var socketTimeout = 30.seconds

    /**
     * The limits of requests to each host; one a second if nothing is said, here or in [limits].
     *
     * @throws IllegalArgumentException if there is none
     */
    public fun rate(vararg limits: RateLimit): DownloadSettingsBuilder =
        apply {
            require(limits.isNotEmpty()) { "rate has no limit; write for example rate(10.perSecond)" }
            rate = limits.toList()
        }

    /** All that [HttpRequestRateLimit] can be told: `limits { hosts("www.sec.gov", limit = 10.perSecond); maxWait = 30.seconds }`. */
    public fun limits(configure: Consumer<HttpRequestRateLimitConfig>): DownloadSettingsBuilder = apply {
        limits +=
            { configure.accept(this) }
    }

    /** Told of waits, grants and refusals of requests. */
    public fun listener(listener: RateLimitListener): DownloadSettingsBuilder = apply { this.listener = listener }

    /** Where the buckets are; memory of the downloader's own by default. The store stays open when the downloader is closed. */
    public fun store(store: RateLimitStore): DownloadSettingsBuilder = apply { this.store = store }

    /** One limit for all that use the Redis at this URI; see `RedisStore.connect`. Needs `io.lettuce:lettuce-core`. */
    public fun redisUrl(redisUrl: String): DownloadSettingsBuilder =
        apply {
            require(redisUrl.isNotBlank()) { "redisUrl is empty; write for example redis://localhost:6379" }
            this.redisUrl = redisUrl
        }

    /** What all keys in Redis begin with; `ratelimit:` by default. */
    public fun keyPrefix(keyPrefix: String): DownloadSettingsBuilder = apply { this.keyPrefix = keyPrefix }

    /** One limit for all processes of this machine that name this file; see `SharedMemoryStore.open`. */
    public fun sharedFile(file: Path): DownloadSettingsBuilder = apply { sharedFile = file }

    /**
     * How many files are downloaded at a time; 4 by default.
     *
     * @throws IllegalArgumentException if it is not 1 to 1000
     */
    public fun parallelism(parallelism: Int): DownloadSettingsBuilder =
        apply {
            require(parallelism in 1..MOST_PARALLEL) {
                "parallelism $parallelism is not possible; write 1 to $MOST_PARALLEL, for example 4"
            }
            this.parallelism = parallelism
        }

    /**
     * How often a file is asked for again, at most, when the server cannot give it now (408, 425, 429, most 5xx) or the connection breaks;
     * 3 by default. The pauses are those of HttpRequestRetry: 1, 2, 4, ... at most 60 s, and up to a second more; or the server's
     * Retry-After, if that is longer. One of more than 5 minutes ends the download. A host that does not exist, a port that nobody
     * listens to and a certificate that is not trusted are not tried again.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public fun retries(retries: Int): DownloadSettingsBuilder =
        apply {
            require(retries >= 0) { "retries $retries is negative; write 0 for none" }
            this.retries = retries
        }

    /**
     * What the downloader calls itself; `ratelimit-downloader` by default. Servers like to see whom to write to.
     *
     * @throws IllegalArgumentException if it is empty, or has a line break
     */
    public fun userAgent(userAgent: String): DownloadSettingsBuilder =
        apply {
            require(userAgent.isNotBlank() && userAgent.none { it.isISOControl() }) {
                "userAgent '$userAgent' cannot be sent; write for example \"my-crawler (me@example.com)\""
            }
            this.userAgent = userAgent
        }

    /** How long connecting may take; 10 s by default. */
    public fun connectTimeout(timeout: Duration): DownloadSettingsBuilder = apply { connectTimeout = positive("connectTimeout", timeout) }

    /** How long connecting may take; 10 s by default. */
    public fun connectTimeout(timeout: JavaDuration): DownloadSettingsBuilder = connectTimeout(timeout.toKotlinDuration())

    /** How long nothing may come before the connection counts as broken; 30 s by default. */
    public fun socketTimeout(timeout: Duration): DownloadSettingsBuilder = apply { socketTimeout = positive("socketTimeout", timeout) }

    /** How long nothing may come before the connection counts as broken; 30 s by default. */
    public fun socketTimeout(timeout: JavaDuration): DownloadSettingsBuilder = socketTimeout(timeout.toKotlinDuration())

    /**
     * The settings.
     *
     * @throws IllegalArgumentException if more than one place for the buckets was named, or a [keyPrefix] without a [redisUrl]
     */
    public fun build(): DownloadSettings {
        val places = listOfNotNull(store?.let { "store" }, redisUrl?.let { "redisUrl" }, sharedFile?.let { "sharedFile" })
        require(places.size <= 1) { "the buckets cannot be in ${places.joinToString(" and in ")}; name one place" }
        require(keyPrefix == null || redisUrl != null) { "keyPrefix '$keyPrefix' is for keys in Redis; name a redisUrl, or leave it out" }
        val place = StorePlace(store, redisUrl, keyPrefix, sharedFile)
        return DownloadSettings(rules(), place, parallelism, retries, userAgent, connectTimeout, socketTimeout)
    }

    private fun rules(): HttpRequestRateLimitConfig.() -> Unit {
        val others = rate ?: listOf(RateLimit.perSecond(1.0)).takeIf { limits.isEmpty() }
        val configured = limits.toList()
        val told = listener
        return {
            @Suppress("SpreadOperator")
            if (others != null) otherHosts(*others.toTypedArray())
            if (told != null) listener = told
            configured.forEach { it() }
        }
    }

    private companion object {
        const val DEFAULT_PARALLELISM = 4
        const val MOST_PARALLEL = 1000
        const val DEFAULT_RETRIES = 3

        fun positive(
            name: String,
            duration: Duration,
        ): Duration {
            require(duration.inWholeMilliseconds > 0) { "$name $duration is not possible; write for example 30.seconds" }
            return duration
        }
    }
}
