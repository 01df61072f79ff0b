package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.protocol.CommandArgs

/**
 * Requests that go out as one call of the script: its keys, its arguments, and what its answer means. See store.lua.
 *
 * @param now the instant in microseconds, of tests; null for the server's own clock
 * @param marker the key that tells how long nothing was lost, in strict mode
 */
internal class Batch(
    private val requests: List<Request<*>>,
    private val now: Long?,
    private val marker: String?,
) {
    private val keyNumbers = LinkedHashMap<String, Int>()
    private val limitNumbers = LinkedHashMap<RedisLimit, Int>()

    init {
        for (request in requests) {
            for (item in request.items) {
                keyNumbers.getOrPut(item.key) { keyNumbers.size + 1 }
                if (item.limit != null) limitNumbers.getOrPut(item.limit) { limitNumbers.size + 1 }
            }
        }
    }

    /** The arguments of EVALSHA or EVAL, whose first is [script]. */
    fun arguments(script: String): CommandArgs<String, String> {
        val args = CommandArgs(StringCodec.UTF8).add(script).add(keyNumbers.size + if (marker == null) 0L else 1L)
        keyNumbers.keys.forEach { args.addKey(it) }
        marker?.let { args.addKey(it) }
        args.add(now?.toString().orEmpty()).add(if (marker == null) "" else "strict").add(limitNumbers.size.toLong())
        limitNumbers.keys.forEach { args.add(it.text) }
        requests.forEach { add(args, it) }
        return args
    }

    private fun add(
        args: CommandArgs<String, String>,
        request: Request<*>,
    ) {
        args.add(request.operation.word)
        if (request.maxDelayNanos == Long.MAX_VALUE) args.add("") else args.add(request.maxDelayNanos / Numbers.NANOS_PER_MICRO)
        args.add(request.count).add(request.items.size.toLong())
        for (item in request.items) {
            args.add(keyNumbers.getValue(item.key).toLong())
            args.add(if (item.limit == null) 0L else limitNumbers.getValue(item.limit).toLong())
            args.add(item.permits)
        }
    }

    /** Hands each request its part of the script's [answer]. */
    fun complete(answer: LongArray) {
        val limits = limitNumbers.keys.map { it.limit }
        var from = 0
        for (request in requests) {
            val numbers = Numbers(answer, from, limits)
            from = numbers.end
            if (numbers.status == Numbers.DAMAGED) request.fail(damaged(numbers.damaged)) else request.succeed(numbers)
        }
    }

    fun fail(cause: RateLimitStoreException) = requests.forEach { it.fail(cause) }

    private fun damaged(number: Int): RateLimitStoreException {
        val key = keyNumbers.keys.elementAtOrNull(number - 1) ?: "a key of this call"
        return RateLimitStoreException("what Redis has at $key is no bucket; delete it, or give the store another keyPrefix", null)
    }
}
