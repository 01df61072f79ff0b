package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException

/** Requests that go out as one call of the script: its keys, its arguments, and what its answer means. See store.lua. */
internal class Batch(
    private val requests: List<Request>,
    now: Long?,
) {
    private val keyNumbers = LinkedHashMap<String, Int>()
    private val limitNumbers = LinkedHashMap<RedisLimit, Int>()

    val arguments: Array<String>
    val keys: Array<String>

    init {
        val tail = ArrayList<String>()
        for (request in requests) {
            tail += request.operation.word
            tail += if (request.maxDelayNanos == Long.MAX_VALUE) "" else (request.maxDelayNanos / NANOS_PER_MICRO).toString()
            tail += request.items.size.toString()
            for (item in request.items) {
                tail += keyNumbers.getOrPut(item.key) { keyNumbers.size + 1 }.toString()
                tail += (item.limit?.let { limitNumbers.getOrPut(it) { limitNumbers.size + 1 } } ?: 0).toString()
                tail += item.permits.toString()
            }
        }
        val head = listOf(now?.toString().orEmpty(), limitNumbers.size.toString()) + limitNumbers.keys.map { it.text }
        keys = keyNumbers.keys.toTypedArray()
        arguments = (head + tail).toTypedArray()
    }

    /** Hands each request its part of the script's [answer]. */
    fun complete(answer: List<Long>) {
        val limits = limitNumbers.keys.map { it.limit }
        requests.forEachIndexed { i, request ->
            val part = answer.subList(i * NUMBERS, (i + 1) * NUMBERS)
            when (part[STATUS]) {
                GRANTED -> request.answer.complete(granted(limits[part[LIMIT].toInt() - 1], part))
                REFUSED -> request.answer.complete(refused(limits[part[LIMIT].toInt() - 1], part))
                DONE -> request.answer.complete(null)
                else -> request.answer.completeExceptionally(damaged(part[LIMIT].toInt()))
            }
        }
    }

    fun fail(cause: Throwable) = requests.forEach { it.answer.completeExceptionally(cause) }

    private fun granted(
        limit: RateLimit,
        part: List<Long>,
    ) = RateLimitResult.allowed(limit, part[REMAINING], nanos(part[RESET]), nanos(part[DELAY]))

    private fun refused(
        limit: RateLimit,
        part: List<Long>,
    ) = RateLimitResult.denied(limit, part[REMAINING], nanos(part[WAIT]), nanos(part[RESET]))

    private fun damaged(number: Int): RateLimitStoreException {
        val key = keys.getOrNull(number - 1) ?: "a key of this call"
        return RateLimitStoreException("what Redis has at $key is no bucket; delete it, or give the store another keyPrefix", null)
    }

    /** What is too long for the numbers of Lua is for ever. */
    private fun nanos(micros: Long) = if (micros > Long.MAX_VALUE / NANOS_PER_MICRO) Long.MAX_VALUE else micros * NANOS_PER_MICRO

    private companion object {
        const val NANOS_PER_MICRO = 1_000L
        const val NUMBERS = 6
        const val STATUS = 0
        const val LIMIT = 1
        const val REMAINING = 2
        const val WAIT = 3
        const val RESET = 4
        const val DELAY = 5
        const val GRANTED = 1L
        const val REFUSED = 0L
        const val DONE = 2L
    }
}
