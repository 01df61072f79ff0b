package dev.ratelimit.ktor.client.passage

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimiter
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.acquire
import dev.ratelimit.ktor.client.RequestRateLimit
import dev.ratelimit.ktor.client.learning.Learner
import dev.ratelimit.ktor.client.learning.PauseLimit
import dev.ratelimit.ktor.client.politeness.Jitter
import dev.ratelimit.ktor.client.politeness.Robots
import dev.ratelimit.ktor.client.rules.Rules
import dev.ratelimit.ktor.client.rules.Target
import io.ktor.client.request.HttpRequestBuilder
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/** Lets requests pass when it is their turn. */
internal class Gate(
    private val rules: Rules,
    private val learner: Learner,
    private val inFlight: InFlight?,
    private val weight: (HttpRequestBuilder) -> Long,
    private val maxWait: Duration,
    private val clock: NanoClock,
    private val events: Events,
    private val robots: Robots?,
    private val jitter: Jitter?,
) {
    /** Null if no rule is about the request; throws if it cannot pass in time. */
    suspend fun pass(request: HttpRequestBuilder): Passage? {
        val own = RequestRateLimit.of(request)
        if (own?.enabled == false) return null
        val targets = rules.targets(request)
        val crawlDelay = robots?.admit(request)
        val limiter = limiter(targets, own?.limiter)
        val permits = own?.permits ?: weight(request).also(::checkWeight)
        val fare = Fare(limiter ?: crawlDelay ?: return null, if (limiter == null) 1 else permits, crawlDelay.takeIf { limiter != null })
        val wait = own?.maxWait ?: maxWait
        return unlessEnded(request.executionContext, fare.limiter.name()) {
            try {
                enter(targets, fare, wait, request)
            } catch (e: RateLimitExceededException) {
                val refusal = inWordsOf(targets, e)
                events.refused(request, fare.limiter.name(), refusal.result)
                throw refusal
            }
        }
    }

    /** A pause is a limit of its own, which nobody has written: it is told as the rule's. */
    private fun inWordsOf(
        targets: List<Target>,
        refusal: RateLimitExceededException,
    ): RateLimitExceededException {
        val paused = targets.firstOrNull { refusal.result.limit() == PauseLimit.beside(it.rule.limits) } ?: return refusal
        return tooLate(paused, refusal.result.retryAfterNanos().nanoseconds)
    }

    @Suppress("SpreadOperator")
    private fun limiter(
        targets: List<Target>,
        own: RateLimiter?,
    ): RateLimiter? {
        if (targets.size == 1 && own == null) return targets[0].limiter
        val all = targets.map { it.limiter } + listOfNotNull(own)
        return if (all.isEmpty()) null else RateLimiters.allOf(*all.toTypedArray())
    }

    private fun checkWeight(weight: Long) = require(weight >= 1) { "the weight $weight of a request is not positive; let it be 1 or more" }

    private suspend fun enter(
        targets: List<Target>,
        fare: Fare,
        maxWait: Duration,
        request: HttpRequestBuilder,
    ): Passage {
        val start = clock.nanoTime()
        val place = if (targets.isEmpty()) null else inFlight?.let { placeWithin(it, targets[0], maxWait) }
        var hasPassed = false
        try {
            while (true) {
                fare.pay(clock, leftOf(maxWait, start)) { left -> acquire(targets, fare, left) }
                // A permit that was granted, or was on its way, when a server said to stay away; or the store has lost the pause.
                val pause = if (targets.isEmpty()) Duration.ZERO else learner.pauseOf(targets)
                if (pause == Duration.ZERO) break
                fare.giveBack()
                if (pause > leftOf(maxWait, start)) throw tooLate(targets[0], pause)
                delay(pause)
            }
            if (targets.isNotEmpty()) learner.charged(targets, fare.permits)
            val now = clock.nanoTime()
            if (now - start >= LEAST_WAIT) events.waited(request, fare.limiter.name(), (now - start).nanoseconds)
            hasPassed = true
            return Passage(targets, now, fare, place)
        } finally {
            if (!hasPassed) place?.release()
        }
    }

    private suspend fun acquire(
        targets: List<Target>,
        fare: Fare,
        maxWait: Duration,
    ) {
        if (jitter == null || targets.isEmpty()) {
            fare.limiter.acquire(fare.permits, maxWait)
        } else {
            jitter.acquire(targets[0].id, fare.limiter, fare.permits, maxWait)
        }
    }

    private fun leftOf(
        maxWait: Duration,
        start: Long,
    ): Duration = if (maxWait.isInfinite()) maxWait else (maxWait - (clock.nanoTime() - start).nanoseconds).coerceAtLeast(Duration.ZERO)

    private suspend fun placeWithin(
        inFlight: InFlight,
        target: Target,
        maxWait: Duration,
    ): InFlight.Place =
        inFlight.tryEnter(target.id) ?: inFlight.enterWithin(target.id, maxWait) ?: throw tooLate(target, 1.nanoseconds)

    private fun tooLate(
        target: Target,
        wait: Duration,
    ): RateLimitExceededException {
        val nanos = wait.inWholeNanoseconds
        return RateLimitExceededException(RateLimitResult.denied(target.rule.limits[0], 0, nanos, 0).refused(Refusal.MAX_WAIT, nanos))
    }

    /** Waits in [wait], unless the caller is cancelled or [request] ends: a timeout outside of this plugin, or a closed client. */
    private suspend fun <T> unlessEnded(
        request: Job,
        limiter: String,
        wait: suspend () -> T,
    ): T =
        coroutineScope {
            val whenEnded = request.invokeOnCompletion { cancel("the request ended while it waited for a permit of '$limiter'", it) }
            try {
                wait()
            } finally {
                whenEnded.dispose()
            }
        }

    private companion object {
        /** Less than the least that timers know is no waiting, but the time that asking takes. */
        const val LEAST_WAIT = 1_000_000L
    }
}
