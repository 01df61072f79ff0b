package dev.ratelimit.jvm.redis

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitStoreException
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.protocol.CommandArgs

/**
 * Requests that go out as one call of the script: its keys, its arguments, and what its answer means. See store.lua. Callers who ask for
 * the same are one question, so a hot key costs what a cold one does. Filled by one thread, then only read.
 *
 * @param now the instant in microseconds, of tests; null for the server's own clock
 * @param marker the key that tells how long nothing was lost, in strict mode
 */
internal class Batch(
    private val now: Long?,
    private val marker: String?,
) {
    /** Those who ask the same question. */
    private class Question(
        val first: Request<*>,
    ) {
        var others: ArrayList<Request<*>>? = null

        val callers: Int get() = 1 + (others?.size ?: 0)
    }

    private val keyNumbers = HashMap<String, Int>()
    private val keys = ArrayList<String>()
    private val limits = ArrayList<RedisLimit>()
    private val questions = ArrayList<Question>()

    /** By the number of their key, those that others may join. */
    private val shared = ArrayList<Question?>()

    /** How many requests there are. */
    var size = 0
        private set

    /** How many questions, which is what the server's work is about. */
    val work: Int get() = questions.size

    fun add(request: Request<*>) {
        size++
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
            (same.others ?: ArrayList<Request<*>>().also { same.others = it }) += request
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

    /** The arguments of EVALSHA or EVAL, whose first is [script]. */
    fun arguments(script: String): CommandArgs<String, String> {
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
        if (request.maxDelayNanos == Long.MAX_VALUE) args.add("") else args.add(request.maxDelayNanos / Numbers.NANOS_PER_MICRO)
        args.add(request.count).add(request.items.size.toLong())
        for (item in request.items) args.add(keyNumbers.getValue(item.key).toLong()).add(numberOf(item.limit)).add(item.permits)
    }

    /** Hands each request its part of the script's [answer]. */
    fun complete(answer: LongArray) {
        var from = 0
        for (question in questions) {
            val numbers = Numbers(answer, from, limits)
            from = numbers.end
            if (numbers.status == Numbers.DAMAGED) {
                val failure = damaged(numbers.damaged)
                question.first.fail(failure)
                question.others?.forEach { it.fail(failure) }
            } else {
                val permits = question.first.items[0].permits
                question.first.succeed(numbers.of(0, permits))
                question.others?.forEachIndexed { i, request -> request.succeed(numbers.of(i + 1, permits)) }
            }
        }
    }

    fun fail(cause: RateLimitStoreException) =
        questions.forEach { question ->
            question.first.fail(cause)
            question.others?.forEach { it.fail(cause) }
        }

    private fun damaged(number: Int): RateLimitStoreException {
        val key = keys.getOrNull(number - 1) ?: "a key of this call"
        return RateLimitStoreException("what Redis has at $key is no bucket; delete it, or give the store another keyPrefix", null)
    }

    private companion object {
        const val ONE = "one"

        /** A call for the permits of one bucket that are there now. */
        val Request<*>.isOne: Boolean
            get() = operation == Operation.ACQUIRE && items.size == 1 && (maxDelayNanos == Long.MAX_VALUE || items[0].isLinear)

        /** Whether each grant leaves as much less as it took, and nothing else is told of it. */
        val Item.isLinear: Boolean get() = limit != null && limit.limit.algorithm() != Algorithm.LEAKY_BUCKET
    }
}
