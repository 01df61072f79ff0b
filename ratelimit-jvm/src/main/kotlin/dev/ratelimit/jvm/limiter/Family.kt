package dev.ratelimit.jvm.limiter

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitListener
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.CoroutineDispatcher
import java.util.concurrent.atomic.AtomicLong

/** What a limiter is made with, beside its limits and its store. */
internal class LimiterOptions(
    @JvmField val listener: RateLimitListener?,
    @JvmField val dispatcher: CoroutineDispatcher,
    @JvmField val maxWaiters: Int,
    /** Whether the strictest limits of all processes rule. */
    @JvmField val isStrictest: Boolean = false,
) {
    /** Completes futures where the user wants it. */
    @JvmField val handover = Handover(dispatcher.forFutures())

    init {
        require(maxWaiters >= 0) { "maxWaiters $maxWaiters is negative; write 0 to let nobody wait" }
    }
}

/**
 * What all keys of one limiter share: its name, its limits, its lines, its observer. A limiter without keys is a family of one.
 */
internal abstract class Family(
    @JvmField val name: String,
    limits: List<RateLimit>,
    @JvmField val clock: NanoClock,
    @JvmField val options: LimiterOptions,
    @JvmField val lines: Lines,
) {
    /** Where the buckets are. */
    abstract val store: RateLimitStore

    /** Tells which family was made first. */
    @JvmField val number: Long = numbers.incrementAndGet()

    init {
        require(name.isNotBlank()) { "the limiter's name is empty; give it one, for example \"sec.gov\"" }
    }

    @JvmField val observer = Observer(name, options.listener)

    @Volatile
    var slots: Slots = Slots.of(limits)
        private set

    /** See [dev.ratelimit.jvm.line.Gate.chargesAtTurn]. */
    @Volatile
    var chargesAtTurn: Boolean = slots.allRefillSmoothly
        private set

    private var declaring: Declaring? = null

    /** From now on the strictest limits rule of all that are declared in [store]. */
    fun declareIn(
        store: RateLimitStore,
        timing: Declaring.Timing = Declaring.Timing(),
    ) {
        val given = slots.limits
        change { Slots.canonical(given) }
        declaring = Declaring(this, store, given, timing)
    }

    fun setLimits(limits: List<RateLimit>) {
        val declaring = declaring
        if (declaring == null) change { it.changedTo(limits) } else declaring.declare(limits)
    }

    /** Lets [limits] rule, unless they do already. */
    fun ruleBy(limits: List<RateLimit>) {
        if (limits.toSet() != slots.limits.toSet()) change { Slots.canonical(limits) }
    }

    fun tighten(limits: List<RateLimit>) = change { it.changedTo(it.tightenedBy(limits)) }

    @Synchronized
    private fun change(to: (Slots) -> Slots) {
        val changed = to(slots)
        changed.limits.forEach(::check)
        slots = changed
        chargesAtTurn = slots.allRefillSmoothly
        changed()
        lines.retimeAll()
    }

    /** Throws if the store cannot hold buckets of [limit]. */
    protected open fun check(limit: RateLimit) = Unit

    /** Called when [slots] are new. */
    protected abstract fun changed()

    private companion object {
        val numbers = AtomicLong()
    }
}
