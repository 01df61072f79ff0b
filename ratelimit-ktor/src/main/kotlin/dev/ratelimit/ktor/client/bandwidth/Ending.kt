package dev.ratelimit.ktor.client.bandwidth

import kotlinx.coroutines.Job

/** Closes the channel when [call] is cancelled, as by a timeout or a closed client: a reader who waits for permits sees it at once. */
internal fun TolledReadChannel.endWith(call: Job) {
    call.invokeOnCompletion { cause -> if (cause != null) cancel(cause) }
}

/** As with a channel. */
internal fun Toll.endWith(call: Job) {
    call.invokeOnCompletion { cause -> if (cause != null) end(cause) }
}
