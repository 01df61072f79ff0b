package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import io.kotest.core.spec.style.FunSpec
import org.jetbrains.lincheck.datastructures.Operation

/** Full buckets are dropped while calls are under way, and no call can tell. */
internal class DroppingLincheckTest :
    FunSpec({
        test("in a store with room for the used keys only, full buckets make room") {
            checkInterleavings(SmallStoreCalls::class, OnePermit::class)
        }

        test("in a store for one key, that key is never dropped for itself") {
            checkInterleavings(OneKeyStoreCalls::class, OnePermit::class)
        }
    })

/** One used key beside others that come full: at most two of these are in use at an instant, one in each thread. */
internal class SmallStoreCalls : DroppingCalls(3) {
    private val others = List(2) { listOf(claimOn(HOURLY, "other $it")) }

    @Operation
    fun other() = others.forEach { store.adjust(it, GIVEN_BACK, 0) }
}

internal class OneKeyStoreCalls : DroppingCalls(1) {
    @Operation
    fun other() {
        store.size
    }
}

internal abstract class DroppingCalls(
    maxKeys: Int,
) {
    private val claims = listOf(claimOn(HOURLY, "key"))
    private val otherClaims = listOf(claimOn(DAILY, "key"))

    protected val store = MemoryBuckets({ 0 }, maxKeys)

    @Operation
    fun take(): Boolean = store.tryAcquire(claims, 0, Long.MAX_VALUE).isAllowed

    @Operation
    fun takeUnderAnother(): Boolean = store.tryAcquire(otherClaims, 0, Long.MAX_VALUE).isAllowed

    @Operation
    fun left(): Long = store.peek(claims, 0, 0).remaining()

    @Operation
    fun giveBack() = store.adjust(claims, GIVEN_BACK, 0)
}

private val HOURLY = RateLimit.perHour(1.0)
private val DAILY = RateLimit.perDay(1.0)
private val GIVEN_BACK = listOf(-1L)

/** What those calls mean. */
internal class OnePermit {
    private var left = 1L

    fun take(): Boolean = (left > 0).also { if (it) left-- }

    fun takeUnderAnother(): Boolean = take()

    fun left(): Long = left

    fun giveBack() {
        left = 1
    }

    fun other() = Unit
}
