package dev.ratelimit.samples.kotlin

import arrow.resilience.Schedule
import arrow.resilience.Schedule.Decision.Continue
import arrow.resilience.retry
import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.retryAfter
import dev.ratelimit.samples.LocalServer
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.future.await
import kotlinx.coroutines.runBlocking
import java.io.IOException
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** A limiter does not retry, and Arrow's schedules do that well: retry around limit around call, so that each try pays. */
fun main() =
    runBlocking(Dispatchers.Default) {
        val limiter = RateLimiter("api", 10.perSecond.withBurst(1))
        val client = HttpClient.newHttpClient()

        val schedule =
            Schedule
                .identity<Exception>()
                .doWhile { failure, _ -> failure is RateLimitExceededException || failure is IOException }
                // Each pause; Arrow's delayed { } changes the first one only.
                .mapDecision { if (it is Continue) Continue(it.output, pause(it.output), it.step) else it }
                .zipLeft(Schedule.recurs(10))

        LocalServer.start(2).use { server ->
            val page =
                schedule.retry {
                    limiter.acquire(maxWait = Duration.ZERO)
                    client.get(server)
                }
            println("in the end: $page")
        }
    }

/** A limiter that refuses knows when it will not: no backoff can guess better. */
private fun pause(failure: Exception): Duration {
    val pause = if (failure is RateLimitExceededException) failure.result.retryAfter else 50.milliseconds
    println("${failure.javaClass.simpleName}, again in $pause")
    return pause
}

private suspend fun HttpClient.get(server: LocalServer): String {
    val response = sendAsync(HttpRequest.newBuilder(server.page("/")).build(), BodyHandlers.ofString()).await()
    if (response.statusCode() >= 500) throw IOException("status ${response.statusCode()}")
    return response.body()
}
