package dev.ratelimit.ktor.server

import dev.ratelimit.RateLimitResult
import io.ktor.events.EventDefinition
import io.ktor.server.application.ApplicationCall

/**
 * What [RateLimiting] tells the application's monitor: `monitor.subscribe(RateLimitingEvents.Refused) { … }`. Subscribers run within the
 * call and must be quick.
 */
public object RateLimitingEvents {
    /** A call was refused. */
    public val Refused: EventDefinition<RefusedCall> = EventDefinition()

    /** A rule in shadow would have refused a call. */
    public val WouldRefuse: EventDefinition<RefusedCall> = EventDefinition()

    /** A call was let through, and has used more of a limit than [RateLimitingConfig.warnAt]. */
    public val NearLimit: EventDefinition<LimitedCall> = EventDefinition()
}

/** A call that was refused, or would have been. */
public class RefusedCall internal constructor(
    public val call: ApplicationCall,
    public val refusal: RateLimitRefusal,
)

/** A call that was let through. */
public class LimitedCall internal constructor(
    public val call: ApplicationCall,
    public val rule: String,
    public val scope: String,
    public val result: RateLimitResult,
)
