package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.algorithm.Meter
import dev.ratelimit.jvm.shared.rig.InterruptedWords
import dev.ratelimit.jvm.shared.rig.SharedFolder
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import java.nio.channels.FileChannel
import java.nio.file.StandardOpenOption.APPEND
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import java.time.Duration

/** A slot goes from one bucket to another while somebody looks at it, or holds on to it. */
internal class ReusedSlotTest :
    FunSpec({
        test("a slot that becomes another key's during a look for the former one is not taken for the former one's") {
            val words = InterruptedWords(SIZE)
            val table = Table(words, Marks(words, SIZE), GROUPS)
            val former = KeyTag(2, 0x100)
            val author = Transaction(words, RECORD)
            author.begin()
            author.claim(SLOT + Layout.STATE) shouldBe true
            val place = table.fill(SLOT, former, LIMIT)
            author.become(SLOT + Layout.STATE, State.encoded(1))
            author.commit() shouldBe true
            author.end()
            table.find(former)?.at shouldBe SLOT
            words.set(SLOT + Layout.STATE, State.FREE)
            // Another fills it, and goes on when the look has come half-way.
            author.begin()
            author.claim(SLOT + Layout.STATE) shouldBe true
            words.set(SLOT + Layout.META, place.meta + 0x100)
            words.afterRead(SLOT + Layout.TAG) {
                words.set(SLOT + Layout.TAG, 0x200)
                author.become(SLOT + Layout.STATE, State.encoded(2))
                author.commit()
                author.end()
            }
            table.find(former) shouldBe null
            author.commit() shouldBe false
        }

        test("who looks for room while a bucket comes into being does not take it for a full one under the slot's former limit") {
            SharedFolder().use { folder ->
                val file = folder.file("blocks")
                FileChannel.open(file, CREATE, READ, WRITE).use { channel ->
                    FileChannel.open(file, APPEND).use { appending ->
                        val words = InterruptedWords(SIZE)
                        val marks = Marks(words, SIZE)
                        val table = Table(words, marks, GROUPS)
                        val states =
                            States(words, Arena(words, Chunks(channel, appending, 0))) { limit -> limit.limit()?.let { Meter.of(it, 0) } }
                        val placement = Placement(words, table, marks, states, Transactions(words, 0 until 4))
                        val meter = checkNotNull(states.meterOf(LIMIT))
                        val author = Transaction(words, RECORD)
                        author.begin()
                        author.claim(SLOT + Layout.STATE) shouldBe true
                        words.set(SLOT + Layout.META, 0x100L + LIMIT.algorithm)
                        // All other slots are full, of buckets that nobody has asked yet.
                        val others = 1L until GROUPS * Layout.SLOTS_PER_GROUP
                        others.forEach { placement.placeFor(KeyTag(it, it shl 32), LIMIT, meter, 1) }
                        val drained = State.encoded(meter.fresh(1).also { meter.add(it, 1, 1) }[0])
                        words.afterRead(SLOT + Layout.BURST) {
                            words.set(SLOT + Layout.TAG, 1)
                            words.set(SLOT + Layout.PERMITS, LIMIT.permits)
                            words.set(SLOT + Layout.PERIOD, LIMIT.period)
                            words.set(SLOT + Layout.BURST, LIMIT.burst)
                            author.become(SLOT + Layout.STATE, drained)
                            author.commit()
                            author.end()
                        }
                        placement.placeFor(KeyTag(77, 77L shl 32), LIMIT, meter, 2).at shouldNotBe SLOT
                        // At the latest now it has come into being.
                        words.get(SLOT + Layout.BURST)
                        words.get(SLOT + Layout.STATE) shouldBe drained
                    }
                }
            }
        }

        for (former in listOf(RateLimit.perSecond(1_000.0).withBurst(1), RateLimit.slidingLog(10, Duration.ofMillis(1)))) {
            test("who holds on to a slot of $former does nothing to the bucket that has it now") {
                SharedFolder().use { folder ->
                    SharedMemoryStore.open(folder.file("limits"), 10).use { store ->
                        val buckets = store.buckets()
                        val rule = buckets.rule("former", 0, former)
                        val held = buckets.slot(rule, rule.tagOf("a"), buckets.now())
                        held.tryAcquire(buckets.now(), 1, Long.MAX_VALUE)?.isAllowed shouldBe true
                        val at = buckets.table.find(rule.tagOf("a"))?.at
                        store.reset(listOf(BucketKey("former", "a", 0)))

                        val limit = RateLimit.fixedWindow(3, Duration.ofDays(36_500))
                        val keys = generateSequence(0) { it + 1 }.map { BucketKey("next", it, 0) }

                        fun take(key: BucketKey) =
                            store.tryAcquire(listOf(Charge(key, limit, 1)), store.clock().nanoTime(), Long.MAX_VALUE).isAllowed

                        // One that comes to be in the same slot.
                        val key =
                            keys.first {
                                take(it)
                                val isThere = buckets.table.find(buckets.rule("next", 0, limit).tagOf(it.key))?.at == at
                                if (!isThere) store.reset(listOf(it))
                                isThere
                            }
                        held.tryAcquire(buckets.now(), 1, Long.MAX_VALUE) shouldBe null
                        List(3) { take(key) } shouldBe listOf(true, true, false)
                        held.tryAcquire(buckets.now(), 1, Long.MAX_VALUE) shouldBe null
                        take(key) shouldBe false
                    }
                }
            }
        }
    })

private const val GROUPS = 2
private const val RECORD = 5
private val SIZE = Layout.cellsAt(GROUPS).toInt()
private val SLOT = Layout.slotAt(0, 0)
private val LIMIT = StoredLimit.of(RateLimit.fixedWindow(1, Duration.ofDays(1)))
