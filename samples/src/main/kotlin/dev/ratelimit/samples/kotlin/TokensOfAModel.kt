package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.remaining
import kotlinx.coroutines.runBlocking

private class Answer(
    val text: String,
    val tokens: Long,
)

private fun ask(question: String) = Answer("You asked: $question", tokens = question.length / 4L + 150)

/** A cost that is known only afterwards: take an estimate, then settle the difference. */
fun main() =
    runBlocking {
        val tokens = RateLimiter("model tokens", 10_000.perMinute)

        for (question in listOf("Why is the sky blue?", "And the sea?")) {
            val estimated = 500L
            tokens.acquire(estimated)
            val answer = ask(question)
            tokens.settle(estimated, answer.tokens)
            println("${answer.text} ${answer.tokens} tokens, ${tokens.peek().remaining} left")
        }

        // What was used beyond the estimate is a debt, which later calls wait for.
        tokens.settle(500, 20_000)
        println("in debt: ${tokens.tryAcquire()}")
    }
