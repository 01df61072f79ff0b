package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.RateLimitStoreException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory
import java.util.concurrent.CompletionStage
import kotlin.time.Duration.Companion.seconds

/** How a store is asked about what all instances share, where no call waits for the answer. */
internal object Questions {
    /** The longest that is waited for an answer. */
    val LONGEST = 3.seconds

    private val log = LoggerFactory.getLogger("dev.ratelimit.ktor.server.RateLimiting")

    /**
     * The answer; a store of the user's may forget to give one.
     *
     * @throws RateLimitStoreException if there is none
     */
    suspend fun <T> inTime(question: () -> CompletionStage<T>): T {
        val answer = withTimeoutOrNull(LONGEST) { listOf(question().await()) }
        return (answer ?: throw RateLimitStoreException("the store has not answered for $LONGEST", null)).single()
    }

    /** What [action] gives; null if anything goes wrong, which is no call's trouble. */
    @Suppress("TooGenericExceptionCaught")
    suspend fun <T> orNull(action: suspend () -> T): T? =
        try {
            action()
        } catch (_: CancellationException) {
            // This coroutine's own, or that of an answer.
            currentCoroutineContext().ensureActive()
            null
        } catch (e: Exception) {
            log.debug("the store could not be asked for what all instances share", e)
            null
        }
}
