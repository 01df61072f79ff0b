package dev.ratelimit.samples.kotlin

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.retryAfter
import dev.ratelimit.jvm.withPermit
import dev.ratelimit.samples.LocalServer
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.seconds

/** Many coroutines, one limit: each waits for its turn without holding a thread. */
fun main() =
    runBlocking(Dispatchers.Default) {
        val sec = RateLimiter("sec.gov", 10.perSecond)

        LocalServer.start().use { server ->
            HttpClient(CIO).use { client ->
                val urls = List(14) { "${server.page("/$it")}" }
                val pages = coroutineScope { urls.map { async { sec.withPermit { client.get(it).bodyAsText() } } }.awaitAll() }
                println("${pages.size} pages, the last one is '${pages.last()}'")
            }
        }

        // Several permits at once, for a call that costs more; refused at once if they cannot come in time.
        try {
            sec.acquire(permits = 3, maxWait = 5.seconds)
            println("three permits")
        } catch (e: RateLimitExceededException) {
            println("hopeless: ${e.message}")
        }

        // Without waiting: a result says yes or no.
        val result = sec.tryAcquire(10)
        if (!result.isAllowed) println("retry in ${result.retryAfter}")
    }
