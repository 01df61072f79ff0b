package dev.ratelimit.benchmarks.bandwidth

import dev.ratelimit.ktor.client.HttpRequestRateLimit
import dev.ratelimit.ktor.client.HttpRequestRateLimitConfig
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.prepareGet
import io.ktor.client.statement.bodyAsChannel
import io.ktor.utils.io.readAvailable

/** A client with this limit, or with none. */
internal fun client(limit: (HttpRequestRateLimitConfig.() -> Unit)? = null): HttpClient =
    HttpClient(CIO) {
        engine { requestTimeout = 0 }
        if (limit != null) install(HttpRequestRateLimit, limit)
    }

/** Reads a body to its end as a stream; [seen] is told of each read. Returns how many bytes came. */
internal suspend fun HttpClient.read(
    url: String,
    seen: (Int) -> Unit = {},
): Long =
    prepareGet(url).execute { response ->
        val channel = response.bodyAsChannel()
        val piece = ByteArray(PIECE)
        var total = 0L
        while (true) {
            val count = channel.readAvailable(piece)
            if (count < 0) break
            total += count
            seen(count)
        }
        total
    }

private const val PIECE = 64 * 1024
