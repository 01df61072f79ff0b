package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.line.Gate
import kotlinx.coroutines.CoroutineDispatcher

/** One key of a limiter: the limits of its family, a line of its own. */
internal abstract class FamilyLimiter(
    @JvmField val family: Family,
    @JvmField val key: Any?,
) : SuspendingLimiter(),
    Gate {
    final override val dispatcher: CoroutineDispatcher get() = family.options.dispatcher

    final override fun check(permits: Long) = family.slots.limits.forEach { it.checkPermits(permits) }

    final override fun name(): String = family.name

    final override fun limits(): List<RateLimit> = family.slots.limits

    final override fun setLimits(limits: List<RateLimit>) = family.setLimits(limits)

    fun tighten(limits: List<RateLimit>) = family.tighten(limits)
}
