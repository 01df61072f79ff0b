package dev.ratelimit.ktor.client.download

import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.ktor.client.DownloadSettings
import dev.ratelimit.ktor.client.HttpRequestRateLimit
import dev.ratelimit.ktor.client.StorePlace
import dev.ratelimit.spi.RateLimitStore
import io.ktor.client.HttpClientConfig
import io.ktor.client.engine.HttpClientEngine
import io.ktor.client.engine.cio.CIO
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.plugins.HttpTimeout
import io.ktor.client.plugins.UserAgent

/** CIO is an optional dependency; whoever forgot it is told so. */
internal object Engines {
    fun cio(loader: ClassLoader = Engines::class.java.classLoader): HttpClientEngine {
        try {
            Class.forName("io.ktor.client.engine.cio.CIO", false, loader)
        } catch (e: ClassNotFoundException) {
            val remedy = "add the dependency io.ktor:ktor-client-cio-jvm, or give the Downloader an engine or a client of yours"
            throw IllegalStateException("Downloader needs an engine; $remedy", e)
        }
        return Cio.create()
    }
}

/** Loaded when CIO is there. */
private object Cio {
    fun create(): HttpClientEngine = CIO.create()
}

/** The store that the settings name, and whether the downloader has to close it. */
internal class OpenStore private constructor(
    val store: RateLimitStore,
    private val isOwn: Boolean,
) : AutoCloseable {
    override fun close() {
        if (isOwn) store.close()
    }

    companion object {
        fun at(place: StorePlace): OpenStore {
            place.store?.let { return OpenStore(it, isOwn = false) }
            place.sharedFile?.let { return OpenStore(SharedMemoryStore.open(it), isOwn = true) }
            val redisUrl = place.redisUrl ?: return OpenStore(MemoryStore(), isOwn = true)
            val builder = RedisStore.builder()
            place.keyPrefix?.let { builder.keyPrefix(it) }
            return OpenStore(builder.connect(redisUrl), isOwn = true)
        }
    }
}

/** Retry around limit around timeout: each try pays, and no wait is timed. */
internal fun HttpClientConfig<*>.installAll(
    settings: DownloadSettings,
    store: RateLimitStore,
) {
    install(UserAgent) { agent = settings.userAgent }
    // What is retried is said with each request.
    install(HttpRequestRetry) { noRetry() }
    install(HttpRequestRateLimit) {
        this.store = store
        settings.limits(this)
    }
    install(HttpTimeout) {
        connectTimeoutMillis = settings.connectTimeout.inWholeMilliseconds
        socketTimeoutMillis = settings.socketTimeout.inWholeMilliseconds
    }
}
