package dev.ratelimit.ktor.client.learning

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.settle
import dev.ratelimit.ktor.client.rules.Target
import dev.ratelimit.ktor.client.rules.TargetId
import io.ktor.client.statement.HttpResponse
import io.ktor.http.HttpStatusCode
import org.slf4j.LoggerFactory
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How a client learns from answers. */
internal class Learning(
    val readsHints: Boolean,
    val maxPause: Duration,
    val isAdaptive: Boolean,
    val random: Random,
)

/** Takes what servers say into account; always toward less than what the user allows. */
internal class Learner(
    private val learning: Learning,
    private val reader: HintReader,
    private val pauses: Pauses,
    private val clock: NanoClock,
    private val learned: (HttpResponse, Target, Hint) -> Unit,
) {
    private val paces = Recent<TargetId, Pace>(MOST_PACES)

    fun pauseOf(targets: List<Target>): Duration = targets.maxOf(pauses::left)

    /** What requests cost more while their pace is reduced. */
    suspend fun charged(
        targets: List<Target>,
        permits: Long,
    ) {
        if (!learning.isAdaptive) return
        val target = targets.first()
        val surcharge = paces[{ target.id }]?.surcharge(permits) ?: return
        if (surcharge > 0) target.limiter.settle(0, surcharge)
    }

    /** [targets] are those that the request was charged to; the first, its host's if a rule names that, is the one that is told. */
    suspend fun answered(
        targets: List<Target>,
        sentAt: Long,
        response: HttpResponse,
    ) {
        val target = targets.firstOrNull() ?: return
        try {
            if (learning.isAdaptive) adapt(target, sentAt, response.status)
            if (learning.readsHints) reader.read(response.status, response.headers)?.let { heed(target, response, it) }
        } catch (e: RateLimitStoreException) {
            log.warn("'{}' could not be told of what {} said", target.limiter.name(), response.call.request.url.host, e)
        }
    }

    private suspend fun heed(
        target: Target,
        response: HttpResponse,
        hint: Hint,
    ) {
        val pause = hint.pause.coerceAtMost(learning.maxPause)
        if (pause < SHORTEST) return
        val jitter = if (hint.turnsAway) spread(pause) * learning.random.nextDouble() else Duration.ZERO
        if (pauses.pause(target, pause, jitter)) learned(response, target, Hint(pause + jitter, hint.source, hint.turnsAway))
    }

    private fun adapt(
        target: Target,
        sentAt: Long,
        status: HttpStatusCode,
    ) {
        if (status == HttpStatusCode.TooManyRequests || status == HttpStatusCode.ServiceUnavailable) {
            val pace = paces.getOrPut(target.id) { Pace(clock) }
            if (pace.refused(sentAt)) log.debug("'{}' goes on at {} of its limit", target.limiter.name(), pace.now)
        } else {
            paces[{ target.id }]?.served()
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(Learner::class.java)
        const val MOST_PACES = 10_000

        /** Less is not worth a question to the store. */
        val SHORTEST = 1.milliseconds

        /** Over how long those who were all told the same come back. */
        fun spread(pause: Duration): Duration = (pause / 4).coerceIn(1.25.seconds, 30.seconds)
    }
}
