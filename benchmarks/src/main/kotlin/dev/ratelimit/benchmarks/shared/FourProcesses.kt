package dev.ratelimit.benchmarks.shared

import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.benchmarks.redis.OwnRedis
import dev.ratelimit.benchmarks.redis.median
import dev.ratelimit.jvm.SharedMemoryStore

/**
 * Four processes on one shared file, and the same through a Redis on loopback; in turns, round after round, so that what the machine does
 * meanwhile falls on all. Arguments: the file for the figures; the milliseconds of a turn; the number of rounds.
 */
fun main(args: Array<String>) {
    val millis = args[1].toLong()
    val rounds = args[2].toInt()
    val path = SharedFolder.path()
    // All keys of all processes have room.
    SharedMemoryStore.open(path, 2 * Crew.COUNT * Work.MANY).close()
    OwnRedis().use { redis ->
        val crews = Work.entries.associateWith { Crew(it, if (it.name.startsWith("REDIS")) redis.uri else "$path", millis) }
        try {
            val told = List(rounds) { crews.mapValues { (_, crew) -> crew.round() } }
            Figure.report(args.take(1).toTypedArray(), figures(told))
        } finally {
            crews.values.forEach { it.close() }
        }
    }
}

private fun figures(told: List<Map<Work, Double>>): List<Figure> {
    fun rate(work: Work) = told.map { it.getValue(work) }.median()

    fun ratio(than: Work) = told.map { it.getValue(Work.ONE_KEY) / it.getValue(than) }.median()
    return listOf(
        Figure("4 processes, one key: checks a second", rate(Work.ONE_KEY), "", atLeast = 2e6),
        Figure("4 processes, a key each: checks a second", rate(Work.OWN_KEY), "", atLeast = 4e6),
        Figure("4 processes, 10,000 keys each: checks a second", rate(Work.MANY_KEYS), ""),
        Figure("  the same on a memory store in each process", rate(Work.MEMORY_MANY_KEYS), ""),
        Figure("Redis, one key, a thread each: checks a second", rate(Work.REDIS_ONE_KEY), ""),
        Figure("  the shared file is so many times as fast", ratio(Work.REDIS_ONE_KEY), "x"),
        Figure("Redis, one key, 256 in flight each: checks a second", rate(Work.REDIS_IN_FLIGHT), ""),
        Figure("  the shared file is so many times as fast", ratio(Work.REDIS_IN_FLIGHT), "x"),
    )
}
