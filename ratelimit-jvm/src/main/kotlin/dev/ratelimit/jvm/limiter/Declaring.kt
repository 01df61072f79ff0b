package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.store.Timer
import dev.ratelimit.spi.RateLimitStore
import java.lang.ref.WeakReference
import java.time.Duration
import java.util.UUID

/**
 * Tells the store once a second which limits this limiter was given, hears what others of the same name were given, and lets the strictest
 * of all rule. Whoever is not heard of for [VALIDITY] counts no more. Ends when the limiter is no longer used, or the store is closed.
 */
internal class Declaring(
    family: Family,
    private val store: RateLimitStore,
) {
    private val family = WeakReference(family)
    private val member = UUID.randomUUID().toString()

    /** What the limiter itself was given. */
    @Volatile
    private var given: List<RateLimit> = family.slots.limits

    init {
        beat()
    }

    /** The limiter was given others. */
    fun declare(limits: List<RateLimit>) {
        given = limits
        tell()
    }

    private fun beat() {
        if (!tell()) return
        Timer.after(BETWEEN_BEATS, ::beat)
    }

    private fun tell(): Boolean {
        val family = family.get() ?: return false
        val told = given
        store.declareAsync(family.name, member, told, VALIDITY).whenComplete { all, failure ->
            // Whoever cannot hear the others goes on with what was last heard.
            if (failure == null &&
                told === given
            ) {
                this.family.get()?.ruleBy(Slots.of(told).tightenedBy((all - told.toSet()).sortedBy { it.toString() }))
            }
        }
        return true
    }

    private companion object {
        const val BETWEEN_BEATS = 1_000_000_000L
        val VALIDITY: Duration = Duration.ofSeconds(5)
    }
}
