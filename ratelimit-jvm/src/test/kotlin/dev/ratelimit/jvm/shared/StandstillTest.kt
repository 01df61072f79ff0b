package dev.ratelimit.jvm.shared

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit

/** A change of several words whose author goes no further, at any step: it has not begun, or it is complete, for whoever comes. */
internal class StandstillTest :
    FunSpec({
        val steps: List<Pair<String, Transaction.() -> Unit>> =
            listOf(
                "begun" to { begin() },
                "one word marked" to { mark(FIRST, WORD, AFTER) },
                "all words marked" to { mark(SECOND, WORD, WORD) },
                "what the second becomes is said" to { become(SECOND, AFTER) },
                "decided" to { commit() },
                "ended" to { end() },
            )

        for (count in 1..steps.size) {
            val decided = count > steps.indexOfFirst { it.first == "decided" }
            test("Chronicle-Map#79: a change that stands still when ${steps[count - 1].first} is undone or completed by others") {
                for (isDead in listOf(false, true)) {
                    val file = file()
                    val author = Transaction(file, RECORD)
                    steps.take(count).forEach { (_, step) -> author.step() }
                    val marks = Marks(file, SIZE)
                    // Of the dead, its record is settled; of one that only stands still, each word by whoever needs it.
                    if (isDead) {
                        marks.settleRecord(RECORD, marks.statusOfRecord(RECORD))
                    } else {
                        listOf(SECOND, FIRST).forEach { at ->
                            marks.settled(file, at)
                        }
                    }
                    withClue("dead: $isDead") { words(file) shouldBe if (decided) listOf(AFTER, AFTER) else listOf(WORD, WORD) }
                    // The author goes on after all: nothing changes any more.
                    steps.drop(count).forEach { (_, step) -> author.step() }
                    val began = count > 1 || isDead
                    if (began) words(file) shouldBe if (decided) listOf(AFTER, AFTER) else listOf(WORD, WORD)
                }
            }
        }

        test("Chronicle-Map#63: a slot that was claimed by one who stands still holds nobody up, and is free again when he is dead") {
            val file = file().apply { set(FIRST, State.FREE) }
            val author = Transaction(file, RECORD).apply { begin() }
            author.claim(FIRST) shouldBe true
            val marks = Marks(file, SIZE)
            val mark = file.get(FIRST)
            marks.isNascent(FIRST, mark) shouldBe true
            inTime { marks.await(FIRST, mark) } shouldBe false
            file.get(FIRST) shouldBe mark
            marks.settleRecord(RECORD, marks.statusOfRecord(RECORD))
            file.get(FIRST) shouldBe State.FREE
            author.commit() shouldBe false
        }

        test("a mark that nobody has made, and one whose record is damaged, stands in nobody's way") {
            val foreign = listOf(State.mark(RECORD, 77), State.mark(1_023, 1), State.mark(4_000, 1), 1L, (1L shl 44) - 1)
            for (mark in foreign) {
                val file = file().apply { set(FIRST, mark) }
                Marks(file, SIZE).settled(file, FIRST)
                file.get(FIRST) shouldBe State.FREE
            }
            // Its record would put the mark itself in the place of the mark.
            val file = file()
            Transaction(file, RECORD).apply { begin() }.mark(FIRST, WORD, AFTER)
            file.set(Layout.RECORDS + RECORD * Layout.RECORD_BYTES + Record.FIRST + Record.BEFORE, file.get(FIRST))
            Marks(file, SIZE).settled(file, FIRST)
            file.get(FIRST) shouldBe State.FREE
        }

        test("a record that is damaged while its author writes throws nothing at him, and its words end as they should") {
            val file = file()
            val author = Transaction(file, RECORD).apply { begin() }
            author.mark(FIRST, WORD, AFTER)
            for (at in 0 until Layout.RECORD_BYTES step Layout.WORD) {
                if (at > 0) file.set(Layout.RECORDS + RECORD * Layout.RECORD_BYTES + at, -1L - at)
            }
            author.become(FIRST, AFTER)
            author.commit() shouldBe true
            author.end()
            file.get(FIRST) shouldBe AFTER
        }

        test("a transaction whose end fails is there for the next call, and a closed store says so instead of waiting for ever") {
            val transactions = Transactions(file(), 0 until 2)
            repeat(5) { runCatching { transactions.run { error("a fault of the mapped memory") } } }
            inTime { transactions.run { 7 } } shouldBe 7
            inTime { transactions.close() }
            inTime { runCatching { transactions.run { 7 } }.exceptionOrNull() is dev.ratelimit.RateLimitStoreException } shouldBe true
        }
    })

private const val RECORD = 5
private const val SIZE = Layout.GROUPS + 4096
private const val FIRST = Layout.GROUPS
private const val SECOND = Layout.GROUPS + 64
private val WORD = State.encoded(1)
private val AFTER = State.encoded(2)

private fun file() =
    Words(ByteBuffer.allocateDirect(SIZE)).apply {
        set(FIRST, WORD)
        set(SECOND, WORD)
    }

private fun words(file: Words) = listOf(file.get(FIRST), file.get(SECOND))

private fun Marks.settled(
    file: Words,
    at: Int,
) {
    val word = file.get(at)
    if (State.isMark(word)) inTime { await(at, word) } shouldBe true
}

private fun <T> inTime(action: () -> T): T = CompletableFuture.supplyAsync(action).get(20, TimeUnit.SECONDS)
