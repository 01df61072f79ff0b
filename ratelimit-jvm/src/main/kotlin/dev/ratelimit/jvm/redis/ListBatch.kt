package dev.ratelimit.jvm.redis

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.protocol.CommandArgs

/**
 * Requests of any kind, for store.lua.
 *
 * @param now the instant in microseconds, of tests; null for the server's own clock
 * @param marker the key that tells how long nothing was lost, in strict mode
 */
internal class ListBatch(
    private val now: Long?,
    private val marker: String?,
    private val onDamage: (RateLimitStoreException) -> Unit = {},
) : Batch(Script.LISTS) {
    private val keyNumbers = HashMap<String, Int>()
    private val keys = ArrayList<String>()
    private val limits = ArrayList<RedisLimit>()

    /** By the number of their key, those that others may join. */
    private val shared = ArrayList<Question?>()

    override fun place(request: Request<*>) {
        request.items.forEach(::number)
        if (!request.isOne) {
            questions += Question(request)
            return
        }
        val item = request.items[0]
        val number = keyNumbers.getValue(item.key) - 1
        val same = shared[number]
        val sameItem = same?.first?.items?.get(0)
        if (sameItem != null && sameItem.limit == item.limit && sameItem.permits == item.permits && item.isLinear) {
            same.join(request)
        } else {
            questions += Question(request).also { shared[number] = it }
        }
    }

    private fun number(item: Item) {
        if (item.key !in keyNumbers) {
            keys += item.key
            shared += null
            keyNumbers[item.key] = keys.size
        }
        val limit = item.limit
        if (limit != null && limit !in limits) limits += limit
    }

    private fun numberOf(limit: RedisLimit?): Long = if (limit == null) 0 else limits.indexOf(limit) + 1L

    override fun arguments(script: String): CommandArgs<String, String> {
        val args = CommandArgs(StringCodec.UTF8).add(script).add(keys.size + if (marker == null) 0L else 1L)
        keys.forEach { args.addKey(it) }
        marker?.let { args.addKey(it) }
        args.add(now?.toString().orEmpty()).add(if (marker == null) "" else "strict").add(limits.size.toLong())
        limits.forEach { args.add(it.text) }
        questions.forEach { if (it.first.isOne) addOne(args, it) else addList(args, it.first) }
        return args
    }

    private fun addOne(
        args: CommandArgs<String, String>,
        question: Question,
    ) {
        val item = question.first.items[0]
        args.add(ONE).add(keyNumbers.getValue(item.key).toLong()).add(numberOf(item.limit))
        args.add(item.permits).add(question.callers.toLong())
    }

    private fun addList(
        args: CommandArgs<String, String>,
        request: Request<*>,
    ) {
        args.add(request.operation.word)
        if (request.maxDelayNanos == Long.MAX_VALUE) args.add("") else args.add(Answer.micros(request.maxDelayNanos))
        args.add(request.count).add(request.owner).add(request.items.size.toLong())
        for (item in request.items) args.add(keyNumbers.getValue(item.key).toLong()).add(numberOf(item.limit)).add(item.permits)
    }

    override fun complete(answer: LongArray) {
        var from = 0
        for (question in questions) {
            val status = answer[from]
            val start = from
            if (status == DAMAGED) {
                val failure = damaged(answer[from + LIMIT].toInt()).also(onDamage)
                question.forEach { _, request -> request.fail(failure) }
            } else {
                question.forEach { caller, request -> request.succeed(told(answer, start, caller, request)) }
            }
            from += SIZE + answer[from + FOLLOWING].toInt()
        }
    }

    /** What the numbers from [from] on mean to one of several callers, the first of whom were granted what all asked for. */
    private fun told(
        answer: LongArray,
        from: Int,
        caller: Int,
        request: Request<*>,
    ): Answer {
        val granted = answer[from]
        val number = answer[from + LIMIT].toInt()
        if (number == 0) return Answer(null)
        val limit = limits[number - 1].limit
        val reset = Answer.nanos(answer[from + RESET])
        val remaining = answer[from + REMAINING]
        if (caller >= granted) return Answer(RateLimitResult.denied(limit, remaining, Answer.nanos(answer[from + WAIT]), reset))
        val left = remaining + (granted - 1 - caller) * request.items[0].permits
        val extra = answer[from + EXTRA]
        val delay = if (request.operation == Operation.TAKE) 0 else Answer.nanos(extra)
        val waits = LongArray(answer[from + FOLLOWING].toInt()) { Answer.nanos(answer[from + SIZE + it]) }
        return Answer(RateLimitResult.allowed(limit, left, reset, delay), extra, waits)
    }

    private fun damaged(number: Int): RateLimitStoreException {
        val key = keys.getOrNull(number - 1) ?: "a key of this call"
        return RateLimitStoreException("what Redis has at $key is no bucket; delete it, or give the store another keyPrefix", null)
    }

    private companion object {
        const val ONE = "one"
        const val DAMAGED = -1L

        // The seven numbers after the status, the number of the limit that decided, and so on; see store.lua.
        const val LIMIT = 1
        const val REMAINING = 2
        const val WAIT = 3
        const val RESET = 4
        const val EXTRA = 5
        const val FOLLOWING = 6
        const val SIZE = 7

        /** A call for the permits of one bucket that are there now. */
        val Request<*>.isOne: Boolean
            get() = operation == Operation.ACQUIRE && items.size == 1 && (maxDelayNanos == Long.MAX_VALUE || items[0].isLinear)

        /** Whether each grant leaves as much less as it took, and nothing else is told of it. */
        val Item.isLinear: Boolean get() = limit != null && limit.limit.algorithm() != Algorithm.LEAKY_BUCKET
    }
}
