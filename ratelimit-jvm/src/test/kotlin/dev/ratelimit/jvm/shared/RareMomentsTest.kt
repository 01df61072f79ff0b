package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.jvm.shared.rig.InterruptedWords
import dev.ratelimit.jvm.shared.rig.Remains
import dev.ratelimit.jvm.shared.rig.SharedFolder
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import java.nio.channels.FileChannel
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.WRITE
import java.time.Duration

/** Moments that kills and stops at random hit too seldom. */
internal class RareMomentsTest :
    FunSpec({
        fun <T> store(use: (SharedMemoryStore) -> T): T =
            SharedFolder().use { folder -> SharedMemoryStore.open(folder.file("limits"), 10).use(use) }

        test("a process that has ended is dead, also while its parent takes no note of it") {
            if (Machine.boot != 0L) {
                // Sleeps in the place of the shell, so nobody waits for the child that the shell has started.
                val parent = ProcessBuilder("sh", "-c", "sleep 0.2 & echo $!; exec sleep 60").start()
                try {
                    val child = parent.inputReader().readLine().toLong()
                    awaitThat("the child is dead") { Machine.startOf(child) == null }
                    ProcessHandle.of(child).isPresent shouldBe true
                } finally {
                    parent.destroyForcibly()
                }
                Machine.startOf(Machine.pid) shouldNotBe null
            }
        }

        test("who buries the dead too late leaves alone what another has begun in their place") {
            store { store ->
                val buckets = store.buckets()
                val record = Layout.MEMBER_COUNT * Layout.RECORDS_PER_MEMBER - 1
                val ofTheDead = buckets.marks.statusOfRecord(record)
                val change = Transaction(buckets.words, record)
                val slot = Layout.slotAt(0, 0) + Layout.STATE
                change.begin()
                change.claim(slot) shouldBe true
                buckets.marks.settleRecord(record, ofTheDead)
                change.holds(slot) shouldBe true
                change.commit() shouldBe true
                change.end()
            }
        }

        test("who buries the dead gives all words back, also where another has called the change off a moment ago") {
            store { store ->
                val buckets = store.buckets()
                val record = Layout.MEMBER_COUNT * Layout.RECORDS_PER_MEMBER - 1
                val stripe = Layout.STRIPES
                val slot = Layout.slotAt(0, 0) + Layout.STATE
                val dead = Transaction(buckets.words, record)
                dead.begin()
                dead.mark(stripe, State.FREE) shouldBe true
                dead.claim(slot) shouldBe true
                val ofTheDead = buckets.marks.statusOfRecord(record)
                buckets.marks.await(stripe, buckets.words.get(stripe)) shouldBe true
                buckets.marks.settleRecord(record, ofTheDead)
                Remains(store).marks shouldBe emptyList()
            }
        }

        test("who wants a place among the members that another has just taken leaves it alone, and the other is known for dead") {
            SharedFolder().use { folder ->
                val words = InterruptedWords(Layout.GROUPS)
                // The other is of another start of the machine, so it is dead.
                words.afterRead(Layout.MEMBERS) { words.set(Layout.MEMBERS, 7) }
                FileChannel.open(folder.file("locks"), CREATE, WRITE).use { channel ->
                    val members = Members(words, channel, Marks(words, Layout.GROUPS)) { 1 }
                    words.get(Layout.MEMBERS) shouldBe 7
                    members.own shouldBe 1
                    members.sweep()
                    words.get(Layout.MEMBERS) shouldBe 0
                }
            }
        }

        test("a word that stood for a slot's former bucket does not come again, though the new one takes the same block") {
            store { store ->
                val limit = RateLimit.slidingLog(10, Duration.ofDays(1))
                val key = BucketKey("log", "a", 0)

                fun states(): List<Long> {
                    store.tryAcquire(listOf(Charge(key, limit, 1)), store.clock().nanoTime(), 0).isAllowed shouldBe true
                    val words = store.buckets().words
                    val slots = (0 until Layout.groupsFor(store.maxKeys)).flatMap { group -> List(16) { Layout.slotAt(group, it) } }
                    return slots.map { words.get(it + Layout.STATE) }.filter { it != State.FREE }
                }
                val seen = (1..100).flatMap { states().also { store.reset(listOf(key)) } }
                seen.distinct().size shouldBe 100
            }
        }

        test("a process that is held up while it looks at the clock takes that for no sleep of the machine") {
            store { store ->
                var now = 1_000_000_000_000L
                var held = 0L
                val clock = SharedClock(store.buckets().words, { now }, { now }, boot = 1) { now.also { now += held } }
                val before = clock.nanoTime() - now
                held = 10_000_000_000
                clock.tick()
                held = 0
                repeat(3) { clock.tick() }
                clock.nanoTime() - now shouldBeInRange before..before
            }
        }
    })
