package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitResult
import io.ktor.events.EventDefinition
import io.ktor.http.Url
import kotlin.time.Duration

/**
 * What [HttpRequestRateLimit] tells the [monitor][io.ktor.client.HttpClient.monitor] of its client:
 *
 * ```kotlin
 * client.monitor.subscribe(RateLimitEvents.Learned) { println("${it.url.host}: ${it.source} asks for ${it.pause}") }
 * ```
 *
 * Handlers run where the request runs, before it goes on, and should be quick.
 */
public object RateLimitEvents {
    /** A request had to wait for its permit, for a millisecond or longer, and has it now. */
    public val Waited: EventDefinition<RequestWaited> = EventDefinition()

    /** A request could not have its permit in time, and was not sent. */
    public val Refused: EventDefinition<RequestRefused> = EventDefinition()

    /** An answer made its bucket pause or slow down, for all requests that share it. */
    public val Learned: EventDefinition<HintLearned> = EventDefinition()
}

/**
 * @property url where the request goes
 * @property limiter the name of the rule; of several, all names
 * @property waited for how long
 */
public class RequestWaited internal constructor(
    public val url: Url,
    public val limiter: String,
    public val waited: Duration,
)

/**
 * @property url where the request would have gone
 * @property limiter the name of the rule; of several, all names
 * @property result why, and when it is worth another try
 */
public class RequestRefused internal constructor(
    public val url: Url,
    public val limiter: String,
    public val result: RateLimitResult,
)

/**
 * @property url what was asked for
 * @property limiter the name of the rule whose bucket pauses
 * @property pause for how long from now nobody is let through, with the random time by which those who were told the same are spread
 * @property source which header said so
 */
public class HintLearned internal constructor(
    public val url: Url,
    public val limiter: String,
    public val pause: Duration,
    public val source: String,
)
