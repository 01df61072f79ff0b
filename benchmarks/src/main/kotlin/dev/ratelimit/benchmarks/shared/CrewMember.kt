package dev.ratelimit.benchmarks.shared

import kotlin.system.exitProcess

/** One process of a [Crew]. Arguments: its work; the place of the store; its number; the milliseconds of a round. */
fun main(args: Array<String>) {
    val (work, place, number, millis) = args
    val count = Work.valueOf(work).on(place, number.toInt())
    val nanos = millis.toLong() * NANOS_PER_MILLI
    count.during(WARM_UP_NANOS)
    println(Crew.READY)
    while (readlnOrNull() != null) println(count.during(nanos))
    // A client of Redis has threads that would go on.
    exitProcess(0)
}

private const val NANOS_PER_MILLI = 1_000_000L
private const val WARM_UP_NANOS = 1_000_000_000L
