package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.conformance.inThreads
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.nio.file.StandardOpenOption.APPEND
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import java.util.concurrent.atomic.AtomicInteger
import kotlin.io.path.fileSize
import kotlin.random.Random

/** Blocks for states of more than one word. */
internal class ArenaTest :
    FunSpec({
        val folder = tempdir().toPath()
        var number = 0

        fun arenas(
            count: Int,
            path: Path = folder.resolve("cells${number++}"),
        ): Pair<Path, List<Arena>> {
            val words = Words(ByteBuffer.allocateDirect(Layout.STRIPES))
            return path to
                List(count) {
                    val channel = FileChannel.open(path, CREATE, READ, WRITE)
                    Arena(words, Chunks(channel, FileChannel.open(path, APPEND), 0))
                }
        }

        test("what is written is read, in every size up to the largest, and the file grows as it must") {
            val (path, arenas) = arenas(2)
            val lengths = listOf(1, 6, 7, 8, 15, 16, 100, 1_000, 10_000, 32_772) + List(300) { 7 }
            val words = lengths.map { arenas[0].write(LongArray(it) { i -> it * 100_000L + i }, State.encoded(0)) }
            for (arena in arenas) {
                for ((i, length) in lengths.withIndex()) arena.read(words[i]) shouldBe LongArray(length) { length * 100_000L + it }
            }
            path.fileSize() shouldBeLessThanOrEqual 4 * Arena.CHUNK_BYTES
            // One that takes more than what is left of a chunk begins in the next.
            repeat(40) { arenas[1].read(arenas[1].write(LongArray(32_772) { 9 }, State.encoded(0)))!!.sum() shouldBe 9L * 32_772 }
            path.fileSize() shouldBeGreaterThan 8 * Arena.CHUNK_BYTES
        }

        test("half-way through a chunk the next one is made, and others have it mapped before they need it") {
            val path = folder.resolve("cells${number++}")
            val words = Words(ByteBuffer.allocateDirect(Layout.STRIPES))
            val (own, other) = List(2) { Chunks(FileChannel.open(path, CREATE, READ, WRITE), FileChannel.open(path, APPEND), 0) }
            val (arena, follower) = listOf(Arena(words, own), Arena(words, other))
            repeat((Arena.CELLS_PER_CHUNK / 2).toInt() - 2) { arena.write(longArrayOf(1), State.encoded(0)) }
            follower.follow()
            path.fileSize() shouldBe Arena.CHUNK_BYTES
            other.end shouldBe Arena.CHUNK_BYTES
            arena.write(longArrayOf(1), State.encoded(0))
            awaitThat("the next chunk") { own.end == 2 * Arena.CHUNK_BYTES }
            follower.follow()
            other.end shouldBe 2 * Arena.CHUNK_BYTES
        }

        test("blocks that are free again are used again: a bucket that changes a million times takes no more room than two") {
            val (path, arenas) = arenas(1)
            var word = State.encoded(0)
            repeat(1_000_000) {
                val next = arenas[0].write(longArrayOf(it.toLong(), 2, 3), word)
                if (it > 0) arenas[0].free(word)
                word = next
            }
            path.fileSize() shouldBe Arena.CHUNK_BYTES
        }

        test("a word is another when its block is the same one again, so that nobody takes one state for the other") {
            val (_, arenas) = arenas(1)
            val first = arenas[0].write(longArrayOf(1), State.encoded(0))
            arenas[0].free(first)
            val second = arenas[0].write(longArrayOf(2), first)
            (first == second) shouldBe false
            (first - second) and ((1L shl 28) - 1) shouldBe 0L
        }

        test("Chronicle-Map#291: blocks never overlap, whoever takes and frees them at once") {
            val (_, arenas) = arenas(2)
            val torn = AtomicInteger()
            inThreads(4) { thread ->
                val random = Random(thread)
                val held = ArrayList<Pair<Long, LongArray>>()
                repeat(60_000) { turn ->
                    val arena = arenas[random.nextInt(2)]
                    if (held.size < 40 && random.nextBoolean()) {
                        val value = thread * 1_000_000_000L + turn
                        val state = LongArray(random.nextInt(1, 60)) { value }
                        held += arena.write(state, State.encoded(random.nextLong())) to state
                    } else if (held.isNotEmpty()) {
                        val (word, state) = held.removeAt(random.nextInt(held.size))
                        if (!state.contentEquals(arena.read(word))) torn.incrementAndGet()
                        arena.free(word)
                    }
                }
            }
            torn.get() shouldBe 0
        }
    })
