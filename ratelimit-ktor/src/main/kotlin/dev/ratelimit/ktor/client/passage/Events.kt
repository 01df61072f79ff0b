package dev.ratelimit.ktor.client.passage

import dev.ratelimit.RateLimitResult
import dev.ratelimit.ktor.client.HintLearned
import dev.ratelimit.ktor.client.RateLimitEvents
import dev.ratelimit.ktor.client.RequestRefused
import dev.ratelimit.ktor.client.RequestWaited
import dev.ratelimit.ktor.client.learning.Hint
import dev.ratelimit.ktor.client.rules.Target
import io.ktor.client.HttpClient
import io.ktor.client.request.HttpRequestBuilder
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.request
import kotlin.time.Duration

/** Tells the client's monitor. */
internal class Events(
    private val client: HttpClient,
) {
    fun waited(
        request: HttpRequestBuilder,
        limiter: String,
        time: Duration,
    ) = client.monitor.raise(RateLimitEvents.Waited, RequestWaited(request.url.build(), limiter, time))

    fun refused(
        request: HttpRequestBuilder,
        limiter: String,
        result: RateLimitResult,
    ) = client.monitor.raise(RateLimitEvents.Refused, RequestRefused(request.url.build(), limiter, result))

    fun learned(
        response: HttpResponse,
        target: Target,
        hint: Hint,
    ) = client.monitor.raise(RateLimitEvents.Learned, HintLearned(response.request.url, target.limiter.name(), hint.pause, hint.source))
}
