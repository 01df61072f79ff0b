package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.store.Bounded
import dev.ratelimit.jvm.store.ManualClock
import dev.ratelimit.jvm.store.floodTests
import dev.ratelimit.jvm.store.fullStoreTests
import dev.ratelimit.jvm.store.losslessTests
import dev.ratelimit.jvm.store.take
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.shouldBe
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.deleteIfExists
import kotlin.time.Duration.Companion.milliseconds

/** A shared file does what the memory store does when keys are more than it has room for. */
internal class FullFileTest :
    FunSpec({
        val opened = ArrayList<Bounded>()
        val paths = ArrayList<Path>()

        fun open(
            clock: ManualClock,
            maxKeys: Int,
        ): Bounded {
            val path = Files.createTempFile("ratelimit", "").also { it.deleteIfExists() }
            val store = SharedMemoryStore.open(path, maxKeys, clock)
            paths.add(path)
            return Bounded(store, Layout.groupsFor(maxKeys) * Layout.SLOTS_PER_GROUP) { store.size }.also(opened::add)
        }

        afterTest {
            opened.forEach { it.close() }
            paths.forEach { it.deleteIfExists() }
            opened.clear()
            paths.clear()
        }

        floodTests(Integer.getInteger("ratelimit.flood.keys", 300_000), ::open)
        losslessTests(::open)
        fullStoreTests(::open)

        test("as many keys as were asked for find room, and none of them loses its place") {
            val hourly = RateLimit.perHour(1.0)
            for (maxKeys in listOf(1, 12, 100, 10_000)) {
                val store = open(ManualClock(), maxKeys)
                repeat(maxKeys) { store.take(hourly, it).isAllowed shouldBe true }
                repeat(maxKeys) { store.take(hourly, it).isAllowed shouldBe false }
            }
        }

        test("idle keys give their slots to others as they are needed") {
            val clock = ManualClock()
            val store = open(clock, 100)
            repeat(20_000) {
                clock.advance(20.milliseconds)
                store.take(RateLimit.perSecond(5.0), "new $it").remaining() shouldBe 4
                store.size shouldBeAtMost store.most
            }
        }
    })
