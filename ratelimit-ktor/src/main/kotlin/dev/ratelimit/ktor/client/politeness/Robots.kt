package dev.ratelimit.ktor.client.politeness

import crawlercommons.robots.BaseRobotRules
import crawlercommons.robots.SimpleRobotRulesParser
import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.ktor.client.RequestDisallowedException
import dev.ratelimit.ktor.client.RequestRateLimit
import dev.ratelimit.ktor.client.learning.Recent
import dev.ratelimit.ktor.client.rateLimit
import dev.ratelimit.spi.RateLimitStore
import io.ktor.client.HttpClient
import io.ktor.client.plugins.expectSuccess
import io.ktor.client.request.HttpRequestBuilder
import io.ktor.client.request.prepareGet
import io.ktor.client.statement.bodyAsChannel
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.URLProtocol
import io.ktor.http.Url
import io.ktor.http.isSuccess
import io.ktor.utils.io.readRemaining
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.io.readByteArray
import java.time.Duration
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration.Companion.days

/**
 * The robots.txt of hosts (RFC 9309): each is requested once a day, by the client itself and within its limits, before the first request
 * to its host. Those who want it at the same time wait for one request.
 */
internal class Robots(
    private val client: HttpClient,
    private val store: RateLimitStore,
    private val clock: NanoClock,
    private val userAgent: String,
) {
    private class Known(
        val answer: Deferred<Result<Site>>,
        val until: Long,
        val hasFailed: AtomicBoolean,
    )

    /** @property crawlDelay the limiter of requests that are to be so far apart */
    private class Site(
        val rules: BaseRobotRules,
        val crawlDelay: RateLimiter?,
    )

    private val sites = Recent<String, Known>(MOST_SITES)
    private val parser = SimpleRobotRulesParser(Long.MAX_VALUE, 0)

    /** The limiter of the host's Crawl-delay, if it has one; throws if the request is not wanted. */
    suspend fun admit(request: HttpRequestBuilder): RateLimiter? {
        val url = request.url.build()
        if (RequestRateLimit.of(request)?.readsRobots == false || url.protocol !in WEB) return null
        val site = site(url)
        if (!site.rules.isAllowed("$url")) throw RequestDisallowedException(url, reason(site.rules, url))
        return site.crawlDelay
    }

    private fun reason(
        rules: BaseRobotRules,
        url: Url,
    ) = if (rules.isDeferVisits) {
        "the server of ${url.host} fails to answer for its robots.txt"
    } else {
        "the robots.txt of ${url.host} disallows it to '$userAgent'"
    }

    private suspend fun site(url: Url): Site {
        val origin = "${url.protocol.name}://${url.host}:${url.port}"
        val known = sites.update(origin) { before -> if (before != null && isGood(before)) before else asked(origin) }
        return known.answer.await().getOrThrow()
    }

    /** A request that failed, for want of a connection, say, is made again. */
    private fun isGood(known: Known) = known.until - clock.nanoTime() > 0 && !known.hasFailed.get()

    /** In the client's own scope, whose end a failure must not be: who asked first may leave while others wait. */
    private fun asked(origin: String): Known {
        val hasFailed = AtomicBoolean()
        val answer = client.async { runCatching { read(origin) }.onFailure { hasFailed.set(true) } }
        return Known(answer, clock.nanoTime() + 1.days.inWholeNanoseconds, hasFailed)
    }

    private suspend fun read(origin: String): Site {
        val url = "$origin/robots.txt"
        val rules =
            client
                .prepareGet(url) {
                    rateLimit { readsRobots = false }
                    expectSuccess = false
                }.execute { response ->
                    if (response.status.isSuccess()) {
                        val text = response.bodyAsChannel().readRemaining(MOST_BYTES).readByteArray()
                        parser.parseContent(url, text, response.headers[HttpHeaders.ContentType] ?: "text/plain", listOf(token()))
                    } else {
                        parser.failedFetch(response.status.value.takeUnless { it == HttpStatusCode.TooManyRequests.value } ?: UNAVAILABLE)
                    }
                }
        val delay = rules.crawlDelay
        if (delay <= 0) return Site(rules, null)
        return Site(rules, RateLimiter("http crawl-delay $origin", RateLimit.every(Duration.ofMillis(delay)), store = store))
    }

    /** The product token, as robots.txt knows it: `MyBot` of `MyBot/1.0 (+https://…)`. */
    private fun token() = userAgent.substringBefore('/').trim().lowercase()

    private companion object {
        const val MOST_SITES = 10_000

        /** What RFC 9309 wants to be read at least. */
        const val MOST_BYTES = 512L * 1024
        const val UNAVAILABLE = 503
        val WEB = setOf(URLProtocol.HTTP, URLProtocol.HTTPS)
    }
}
