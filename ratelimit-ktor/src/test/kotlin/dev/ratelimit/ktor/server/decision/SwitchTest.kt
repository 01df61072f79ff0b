package dev.ratelimit.ktor.server.decision

import dev.ratelimit.ktor.server.monitoring.FakeTallies
import dev.ratelimit.ktor.server.monitoring.FakeTallies.Fate
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

/** The emergency switch of instances that share a store. */
class SwitchTest :
    FunSpec({
        lateinit var store: FakeTallies
        beforeTest { store = FakeTallies() }

        fun CoroutineScope.instance(isOn: Boolean = true) = Switch(isOn, store, this, interval = 1.seconds)

        fun TestScope.pass(seconds: Int = 2) {
            advanceTimeBy(seconds.seconds)
            runCurrent()
        }

        test("a turn acts here at once, and everywhere when the others look next") {
            runTest {
                val (one, other) = List(2) { backgroundScope.instance() }
                pass()
                for (isOn in listOf(false, true, false, false, true, true)) {
                    one.turn(isOn)
                    one.isOn shouldBe isOn
                    pass()
                    listOf(one.isOn, other.isOn) shouldBe listOf(isOn, isOn)
                }
                other.turn(false)
                pass()
                listOf(one.isOn, other.isOn) shouldBe listOf(false, false)
            }
        }

        test("an instance that starts takes over that the limits are off, and not that they are on") {
            runTest {
                val one = backgroundScope.instance()
                val isOff = backgroundScope.instance(isOn = false)
                pass()
                isOff.isOn shouldBe false
                one.turn(false)
                pass()
                val late = backgroundScope.instance()
                pass()
                late.isOn shouldBe false
                late.turn(true)
                pass()
                // By then its settings are old.
                listOf(one, isOff, late).map { it.isOn } shouldBe listOf(true, true, true)
                val last = backgroundScope.instance(isOn = false)
                pass()
                listOf(one, last).map { it.isOn } shouldBe listOf(true, false)
            }
        }

        test("while the store is away each instance has its own switch, and the last turn holds for all afterwards") {
            for (fate in listOf(Fate.LOST, Fate.UNCONFIRMED, Fate.SILENT)) {
                store = FakeTallies()
                runTest {
                    val (one, other) = List(2) { backgroundScope.instance() }
                    pass()
                    one.isReached shouldBe true
                    store.fate = { fate }
                    one.turn(false)
                    pass(60)
                    listOf(one.isOn, other.isOn) shouldBe listOf(false, true)
                    one.isReached shouldBe false
                    store.fate = { Fate.FINE }
                    pass(10)
                    one.isReached shouldBe true
                    listOf(one.isOn, other.isOn) shouldBe listOf(false, false)
                }
            }
        }

        test("a store that has forgotten the switch is told again") {
            runTest {
                val one = backgroundScope.instance()
                one.turn(false)
                pass()
                store.forget()
                pass()
                val late = backgroundScope.instance()
                pass()
                listOf(one.isOn, late.isOn) shouldBe listOf(false, false)
            }
        }

        test("of turns at the same time one is the last for everybody") {
            val random = Random(7)
            runTest {
                val all = List(4) { backgroundScope.instance() }
                repeat(200) {
                    repeat(random.nextInt(1, 6)) {
                        all.random(random).turn(random.nextBoolean())
                        if (random.nextBoolean()) runCurrent()
                        if (random.nextInt(4) == 0) store.fate = { Fate.entries.random(random) }
                    }
                    store.fate = { Fate.FINE }
                    pass(10)
                    all.map { it.isOn }.distinct().size shouldBe 1
                }
            }
        }

        test("an answer that was cancelled is no end of looking") {
            runTest {
                val (one, other) = List(2) { backgroundScope.instance() }
                store.failure = CancellationException("by whoever asked")
                one.turn(false)
                pass(5)
                store.failure = null
                pass()
                listOf(one.isOn, other.isOn) shouldBe listOf(false, false)
            }
        }

        test("without such a store, and after the end, nobody else is told") {
            runTest {
                val alone = Switch(true, null, backgroundScope)
                alone.turn(false)
                alone.isOn shouldBe false
                alone.close()
                val (one, other) = List(2) { backgroundScope.instance() }
                pass()
                one.close()
                other.turn(false)
                pass()
                one.isOn shouldBe true
            }
        }
    })
