package dev.ratelimit.ktor.client.download

import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlin.time.Duration.Companion.milliseconds

/** Tells how far something is: at its beginning, at its end, and ten times a second in between if there is anything new. */
internal class Pace(
    private val position: () -> Long,
    private val tell: (Long) -> Unit,
) {
    private var told = -1L

    suspend fun during(work: suspend () -> Unit) {
        coroutineScope {
            tellIfNew()
            // Not by whoever does the work: that may wait for ever after its last step.
            val ticker =
                launch {
                    while (true) {
                        delay(INTERVAL)
                        tellIfNew()
                    }
                }
            try {
                work()
            } finally {
                ticker.cancel()
            }
            tellIfNew()
        }
    }

    @Synchronized
    private fun tellIfNew() {
        val now = position()
        if (now == told) return
        told = now
        tell(now)
    }

    private companion object {
        val INTERVAL = 100.milliseconds
    }
}
