package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.Adjustment
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
    @Operation
    fun other() {
        repeat(2) { store.adjust(listOf(Adjustment(bucketOf(it), limit, -1))) }
    }
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
    protected val limit: RateLimit = RateLimit.perHour(1.0)
    protected val store = MemoryStore(ManualClock(), maxKeys)

    @Operation
    fun take(): Boolean = store.take(limit, "key").isAllowed

    @Operation
    fun takeUnderAnother(): Boolean = store.take(RateLimit.perDay(1.0), "key").isAllowed

    @Operation
    fun left(): Long = store.left(limit, "key")

    @Operation
    fun giveBack() = store.adjust(listOf(Adjustment(bucketOf("key"), limit, -1)))
}

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
