package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.store.ClosedStoreException
import dev.ratelimit.jvm.store.Timer
import dev.ratelimit.jvm.store.unwrapped
import dev.ratelimit.spi.RateLimitStore
import java.lang.ref.WeakReference
import java.time.Duration
import java.util.UUID

/**
 * Tells the store once a second which limits this limiter was given, hears what others of the same name were given, and lets the strictest
 * of all rule. Whoever is not heard of for a while counts no more. Ends when the limiter is no longer used or the store is closed.
 */
internal class Declaring(
    family: Family,
    private val store: RateLimitStore,
    given: List<RateLimit>,
    private val timing: Timing,
) {
    /** How often is told, and for how long it holds. */
    internal class Timing(
        val between: Duration = Duration.ofSeconds(1),
        val validity: Duration = Duration.ofSeconds(5),
    )

    private val family = WeakReference(family)
    private val member = UUID.randomUUID().toString()

    /** What the limiter itself was given. */
    @Volatile
    private var given: List<RateLimit> = given

    /** What others were given, as far as was heard. */
    @Volatile
    private var others: Set<RateLimit> = emptySet()

    @Volatile
    private var hasEnded = false

    init {
        beat()
    }

    /** The limiter was given others; what is known of the others goes on to hold. */
    fun declare(limits: List<RateLimit>) {
        family.get()?.ruleBy(strictest(limits))
        given = limits
        tell()
    }

    private fun strictest(given: List<RateLimit>): List<RateLimit> {
        val others = (others - given.toSet()).sortedBy { it.toString() }
        return if (others.isEmpty()) given else Slots.of(given).tightenedBy(others)
    }

    private fun beat() {
        if (tell()) Timer.after(timing.between.toNanos(), ::beat)
    }

    /** Whoever cannot hear the others goes on with what was last heard. */
    private fun tell(): Boolean {
        val family = if (hasEnded) null else family.get()
        if (family == null) return false
        val told = given
        val answer = runCatching { store.declareAsync(family.name, member, told, timing.validity) }.getOrElse { return true }
        answer.whenComplete { all, failure ->
            if (failure.unwrapped() is ClosedStoreException) hasEnded = true
            if (failure == null && told === given) hear(all, told)
        }
        return !hasEnded
    }

    private fun hear(
        all: Set<RateLimit>,
        told: List<RateLimit>,
    ) {
        others = all - told.toSet()
        family.get()?.ruleBy(strictest(told))
    }
}
