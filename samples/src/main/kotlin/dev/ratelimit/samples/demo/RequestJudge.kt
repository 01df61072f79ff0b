package dev.ratelimit.samples.demo

import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/** When a request came, in nanoseconds since the first one, whether it was answered, and from whom it came, if that was told. */
internal class Arrival(
    val at: Long,
    val isAnswered: Boolean,
    val from: String = "",
)

/**
 * The server's own limit, which knows nothing of the library: at most [most] answers in any [window], by its own clock and log.
 * Thread-safe.
 */
internal class RequestJudge(
    private val most: Int,
    private val window: Duration,
    private val clock: () -> Long = System::nanoTime,
) {
    private val log = ArrayList<Arrival>()
    private var first: Long? = null

    val arrivals: List<Arrival> @Synchronized get() = log.toList()

    /** Null if the request [from] somebody may be answered; otherwise how long the client should stay away. */
    @Synchronized
    fun judge(from: String = ""): Duration? {
        val now = clock()
        val at = now - (first ?: now.also { first = it })
        val recent = log.filter { it.isAnswered && at - it.at < window.inWholeNanoseconds }
        val isAnswered = recent.size < most
        log += Arrival(at, isAnswered, from)
        return if (isAnswered) null else window - (at - recent[recent.size - most].at).nanoseconds
    }
}
