package dev.ratelimit.ktor.client.learning

import kotlin.time.Duration

/** What a server's answer says of when to ask again. */
internal class Hint(
    val pause: Duration,
    /** The header, or whatever else told it. */
    val source: String,
    /** Whether all are turned away for so long, rather than asked to slow down; then they are not to come back all at once. */
    val turnsAway: Boolean,
)
