package dev.ratelimit.jvm.model

import kotlin.random.Random

/** What a step of a random trace does. */
internal enum class Action { ACQUIRE, REFUND, DEBIT }

/** One call of a random trace. */
internal data class Step(
    val now: Long,
    val action: Action,
    val permits: Long,
)

/** Runs one step; true unless it was a refused call. */
internal fun Model.run(step: Step): Boolean {
    when (step.action) {
        Action.ACQUIRE -> return tryAcquire(step.now, step.permits)
        Action.REFUND -> refund(step.now, step.permits)
        Action.DEBIT -> debit(step.now, step.permits)
    }
    return true
}

/** [size] steps of 1 to [most] permits, from an instant near zero of either sign, with one step in five going back in time. */
internal fun Random.trace(
    size: Int,
    most: Long,
    longestGap: Long,
): List<Step> {
    var now = nextLong(-longestGap, longestGap + 1)
    return List(size) {
        now += if (nextInt(5) == 0) -nextLong(longestGap + 1) else nextLong(longestGap + 1)
        val action = Action.entries[maxOf(0, nextInt(8) - 5)]
        Step(now, action, nextLong(1, most + 1))
    }
}

/** Calls to acquire only, with time never going back. */
internal fun Random.forwardTrace(
    size: Int,
    most: Long,
    longestGap: Long,
): List<Step> {
    var now = nextLong(-longestGap, longestGap + 1)
    return List(size) {
        now += nextLong(longestGap + 1)
        Step(now, Action.ACQUIRE, nextLong(1, most + 1))
    }
}
