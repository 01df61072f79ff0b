package dev.ratelimit.jvm.redis.rig

import kotlin.time.Duration

/** What a [FaultProxy] does to the bytes that reach it from now on. */
internal sealed interface FaultMode {
    data object Pass : FaultMode

    /** Each way, so that a round trip takes twice as long. */
    data class Delay(
        val eachWay: Duration,
    ) : FaultMode

    /** The server gets what is sent, but instead of its reply the client sees the connection close. */
    data object Cut : FaultMode

    /** As [Cut] for the next reply, then [Pass]. */
    data object CutOnce : FaultMode

    /**
     * Bytes vanish both ways while connections stay open. A connection that lost some is closed at the end of this mode, as
     * TCP would never deliver the rest without them.
     */
    data object Drop : FaultMode

    /** New connections are refused; those that are open go on. */
    data object Refuse : FaultMode
}
