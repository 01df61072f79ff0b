package dev.ratelimit.jvm.limiter

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.TimeUnit

class HandoverTest {
    private val goes = ArrayDeque<Runnable>()
    private val ran = ArrayList<Int>()
    private val handover = Handover { goes += it }

    private fun hand(numbers: IntRange) = numbers.forEach { number -> handover.hand { ran += number } }

    private fun runAll(): Int = generateSequence { goes.removeFirstOrNull()?.also(Runnable::run) }.count()

    @Test
    fun `tasks that come together run in their order, in few goes`() {
        hand(1..60)
        assertEquals(1, goes.size)
        val count = runAll()
        assertEquals((1..60).toList(), ran)
        assertTrue(count <= 2, "$count goes")
    }

    @Test
    fun `many tasks leave the executor to others now and then, and all run`() {
        hand(1..1_000)
        val count = runAll()
        assertEquals((1..1_000).toList(), ran)
        assertTrue(count >= 10, "$count goes")
    }

    @Test
    fun `a task that waits for a later one of the same go gets it`() {
        val pool = Executors.newFixedThreadPool(2)
        try {
            val last = CountDownLatch(1)
            val all = CountDownLatch(2)
            // Held back until both are there.
            val both = CountDownLatch(1)
            val waiting = Handover { go -> pool.execute { both.await().also { go.run() } } }
            waiting.hand { last.await().also { all.countDown() } }
            waiting.hand { last.countDown().also { all.countDown() } }
            both.countDown()
            assertTrue(all.await(10, TimeUnit.SECONDS), "the first task holds up the second")
        } finally {
            pool.shutdownNow()
        }
    }

    @Test
    fun `what an executor rejects runs with what it takes later`() {
        var isOpen = false
        val executor = Executor { if (isOpen) goes += it else throw RejectedExecutionException("closed") }
        val refused = Handover(executor)
        assertThrows(RejectedExecutionException::class.java) { refused.hand { ran += 1 } }
        isOpen = true
        refused.hand { ran += 2 }
        runAll()
        assertEquals(listOf(1, 2), ran)
    }
}
