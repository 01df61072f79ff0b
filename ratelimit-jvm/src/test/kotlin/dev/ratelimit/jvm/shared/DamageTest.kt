package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.file.Files
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executor
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.io.path.deleteIfExists
import kotlin.random.Random

/** Bits and words of the file that turn, by bad memory or a stranger's hand, while it is in use. */
internal class DamageTest :
    FunSpec({
        val rounds = Integer.getInteger("ratelimit.damage.rounds", 60)

        test("camunda#6504, mapdb#442: flipped bits and words anywhere: calls answer or fail with a store's exception, and none hangs") {
            val seed = java.lang.Long.getLong("ratelimit.damage.seed", System.nanoTime())
            println("DamageTest: -Dratelimit.damage.seed=$seed, $rounds rounds of $FLIPS flips")
            for (round in 0 until rounds) withClue("seed $seed, round $round") { damaged(Random(seed + round), round) }
        }
    })

private const val FLIPS = 100
private const val CALLERS = 2
private const val KEYS = 40
private val SINGLE_WORDS = listOf(Layout.SHIFT, Layout.BOOT, Layout.SEEN, Layout.DROPPED_AT, Layout.NEXT_CELL)

private fun damaged(
    random: Random,
    round: Int,
) {
    val folder = Files.createTempDirectory("ratelimit")
    val path = folder.resolve("limits")
    val store = SharedMemoryStore.open(path, 60)
    val isOver = AtomicBoolean()
    val callers = List(CALLERS) { caller ->
        val calls = Calls(store, Random(random.nextLong()))
        val executor = Executor { Thread(it, "caller $caller").apply { isDaemon = true }.start() }
        CompletableFuture.runAsync({ while (!isOver.get()) calls.one() }, executor)
    }
    RandomAccessFile(path.toFile(), "rw").use { file ->
        repeat(FLIPS) {
            flip(file, random, allOfIt = round % 4 == 0)
            Calls(store, random).one()
        }
    }
    isOver.set(true)
    for (caller in callers) ended(caller)
    if (round % 10 == 0) {
        path.deleteIfExists()
        val limiter = RateLimiters.create("after", store, RateLimit.perHour(5.0))
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20)
        while (System.nanoTime() < end && !Files.exists(path)) Thread.sleep(5)
        while (System.nanoTime() < end && runCatching { limiter.peek() }.isFailure) Thread.sleep(5)
        (1..10).count { limiter.tryAcquire().isAllowed } shouldBe 5
    }
    ended(CompletableFuture.runAsync { store.close() })
    path.deleteIfExists()
    folder.deleteIfExists()
}

private fun ended(work: CompletableFuture<*>) =
    try {
        work.get(30, TimeUnit.SECONDS)
    } catch (e: ExecutionException) {
        throw AssertionError("a call threw ${e.cause}", e)
    }

/** Turns a bit, or writes a word, in one of the parts of the file, each as likely as the next; in the fixed header only if [allOfIt]. */
private fun flip(
    file: RandomAccessFile,
    random: Random,
    allOfIt: Boolean,
) {
    val cells = Layout.cellsAt(Layout.groupsFor(60)).toInt()
    val parts =
        listOf(
            Layout.SHIFT until Layout.FREE_BLOCKS + 200,
            Layout.STRIPES until Layout.MEMBERS,
            Layout.MEMBERS until Layout.MEMBERS + 2 * Layout.MEMBER_BYTES,
            Layout.RECORDS until Layout.RECORDS + 4 * Layout.RECORD_BYTES,
            Layout.GROUPS until cells,
            Layout.GROUPS until cells,
            cells until cells + 300 * Arena.CELL_BYTES,
            0 until cells + Arena.CHUNK_BYTES.toInt(),
        )
    val part = if (allOfIt && random.nextInt(FLIPS) == 0) 0 until Layout.SHIFT else parts.random(random)
    // Mutable words lie far apart: those that are set are of more interest than the zeros between.
    var at = random.nextInt(part.first, part.last + 1) / Layout.WORD * Layout.WORD.toLong()
    if (at >= file.length()) return
    if (part == parts[0]) at = (SINGLE_WORDS + (Layout.FREE_BLOCKS + random.nextInt(6) * Layout.WORD)).random(random).toLong()
    val word = ByteArray(Layout.WORD)
    file.seek(at)
    if (file.read(word) < Layout.WORD) return
    val bits = ByteBuffer.wrap(word).order(java.nio.ByteOrder.nativeOrder())
    when (random.nextInt(4)) {
        0 -> bits.putLong(0, random.nextLong())
        1 -> bits.putLong(0, random.nextLong() shr random.nextInt(64))
        else -> bits.putLong(0, bits.getLong(0) xor (1L shl random.nextInt(64)))
    }
    file.seek(at)
    file.write(word)
}

/** Calls of all kinds. Only one exception is allowed to leave them. */
private class Calls(
    private val store: SharedMemoryStore,
    private val random: Random,
) {
    private val limits =
        listOf(
            RateLimit.perSecond(1_000.0),
            RateLimit.perHour(5.0),
            RateLimit.tokenBucket(999_999_937, Duration.ofSeconds(1)),
            RateLimit.leakyBucket(10, Duration.ofSeconds(1), 10),
            RateLimit.fixedWindow(100, Duration.ofSeconds(1)),
            RateLimit.fixedWindow(Long.MAX_VALUE, Duration.ofSeconds(1)),
            RateLimit.slidingWindow(100, Duration.ofSeconds(1)),
            RateLimit.slidingWindow(1L shl 50, Duration.ofSeconds(1)),
            RateLimit.slidingLog(100, Duration.ofMillis(10)),
            RateLimit.slidingLog(5, Duration.ofHours(1)),
        )
    private val limiters = limits.mapIndexed { i, limit -> RateLimiters.create("own $i", store, limit) }

    private fun limit() = limits.indices.random(random)

    private fun key(limit: Int) = BucketKey("limiter $limit", random.nextInt(KEYS), 0)

    private fun charge() = limit().let { Charge(key(it), limits[it], 1) }

    private fun now() = store.clock().nanoTime()

    fun one() {
        try {
            when (random.nextInt(12)) {
                0, 1 -> store.tryAcquire(listOf(charge()), now(), Long.MAX_VALUE)
                2, 3 -> store.tryAcquire(List(random.nextInt(1, 5)) { charge() }.distinctBy { it.key }, now(), Long.MAX_VALUE)
                4 -> store.peek(listOf(charge(), charge()), now(), random.nextLong(3))
                5 -> store.adjust(listOf(limit().let { Adjustment(key(it), limits[it], random.nextLong(-3, 4)) }))
                6 -> store.reset(listOf(key(limit()), key(limit())))
                7 -> store.declareAsync("limiter", "${random.nextInt(3)}", listOf(limits[limit()]), Duration.ofMillis(50)).failure()
                8 -> store.tryAcquire(listOf(Charge(BucketKey("changing", 1, 0), limits[limit()], 1)), now(), Long.MAX_VALUE)
                else -> limiters.random(random).tryAcquire()
            }
        } catch (ignored: RateLimitStoreException) {
            return
        }
    }

    private fun java.util.concurrent.CompletionStage<*>.failure() {
        val future = toCompletableFuture()
        if (future.isCompletedExceptionally) runCatching { future.get() }.exceptionOrNull()?.cause?.let { throw it }
    }
}
