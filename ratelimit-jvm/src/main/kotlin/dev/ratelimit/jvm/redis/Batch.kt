package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import io.lettuce.core.protocol.CommandArgs

/**
 * Requests that go out as one call of a script: its arguments, and what its answer means. Callers who ask for the same are one question,
 * so a hot key costs what a cold one does. Filled by one thread, then only read.
 */
internal abstract class Batch(
    val script: Script,
) {
    /** Those who ask the same question. */
    protected class Question(
        val first: Request<*>,
    ) {
        private var others: ArrayList<Request<*>>? = null

        val callers: Int get() = 1 + (others?.size ?: 0)

        fun join(request: Request<*>) {
            (others ?: ArrayList<Request<*>>().also { others = it }) += request
        }

        inline fun forEach(action: (Int, Request<*>) -> Unit) {
            action(0, first)
            others?.forEachIndexed { i, request -> action(i + 1, request) }
        }
    }

    protected val questions = ArrayList<Question>()

    /** How many requests there are. */
    var size = 0
        private set

    /** How many questions, which is what the server's work is about. */
    val work: Int get() = questions.size

    fun add(request: Request<*>) {
        size++
        place(request)
    }

    protected abstract fun place(request: Request<*>)

    /** The arguments of EVALSHA or EVAL, whose first is [script]. */
    abstract fun arguments(script: String): CommandArgs<String, String>

    /** Hands each request its part of the script's [answer]. */
    abstract fun complete(answer: LongArray)

    /** A batch for each question, of what is not answered yet. */
    fun parts(newBatch: () -> Batch): List<Batch> =
        questions
            .map { question ->
                newBatch().also { part -> question.forEach { _, request -> if (!request.answer.isDone) part.add(request) } }
            }.filter { it.size > 0 }

    fun fail(cause: RateLimitStoreException) = questions.forEach { question -> question.forEach { _, request -> request.fail(cause) } }
}
