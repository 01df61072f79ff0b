package dev.ratelimit.jvm.redis

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitResult
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.protocol.CommandArgs

/**
 * Calls for the permits of one token bucket each that are there now: the common case, in the short form of ones.lua.
 *
 * @param now the instant in microseconds, of tests; null for the server's own clock
 * @param elsewhere is given what the script leaves to the other one
 */
internal class OnesBatch(
    private val now: Long?,
    private val elsewhere: (Request<*>) -> Unit,
) : Batch(Script.ONES) {
    private val byKey = HashMap<String, Question>()
    private val limits = ArrayList<RedisLimit>()

    override fun place(request: Request<*>) {
        val item = request.items[0]
        val same = byKey[item.key]
        if (same == null) {
            val limit = checkNotNull(item.limit)
            if (limit !in limits) limits += limit
            questions += Question(request).also { byKey[item.key] = it }
        } else {
            val sameItem = same.first.items[0]
            if (sameItem.permits == item.permits && sameItem.limit == item.limit) same.join(request) else elsewhere(request)
        }
    }

    override fun arguments(script: String): CommandArgs<String, String> {
        val args = CommandArgs(StringCodec.UTF8).add(script).add(questions.size.toLong())
        questions.forEach { args.addKey(it.first.items[0].key) }
        args.add(now?.toString().orEmpty())
        val rates = PackedNumbers(limits.size * PER_LIMIT)
        limits.forEach { rates.add(it.p).add(it.q).add(it.limit.burst()) }
        val asked = PackedNumbers(questions.size * PER_QUESTION)
        for (question in questions) {
            val item = question.first.items[0]
            asked.add(limits.indexOf(item.limit) + 1L).add(item.permits).add(question.callers.toLong())
        }
        args.add(rates.bytes()).add(asked.bytes())
        limits.forEach { args.add(it.head) }
        return args
    }

    override fun complete(answer: LongArray) {
        questions.forEachIndexed { i, question ->
            val from = i * PER_ANSWER
            val granted = answer[from]
            val item = question.first.items[0]
            val limit = checkNotNull(item.limit).limit
            val reset = Answer.nanos(answer[from + RESET])
            question.forEach { caller, request ->
                if (granted == ELSEWHERE) {
                    elsewhere(request)
                } else if (caller < granted) {
                    val left = answer[from + REMAINING] + (granted - 1 - caller) * item.permits
                    request.succeed(Answer(RateLimitResult.allowed(limit, left, reset, 0)))
                } else {
                    val wait = Answer.nanos(answer[from + WAIT])
                    request.succeed(Answer(RateLimitResult.denied(limit, answer[from + REMAINING], wait, reset)))
                }
            }
        }
    }

    companion object {
        private const val PER_LIMIT = 3
        private const val PER_QUESTION = 3
        private const val PER_ANSWER = 4
        private const val REMAINING = 1
        private const val WAIT = 2
        private const val RESET = 3
        private const val ELSEWHERE = -2L

        /** Whether a request is of this kind. */
        fun takes(request: Request<*>): Boolean =
            request.operation == Operation.ACQUIRE && request.items.size == 1 && request.items[0].limit?.isShort == true
    }
}
