package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.algorithm.Meter
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions
import org.jetbrains.lincheck.datastructures.Options
import org.jetbrains.lincheck.datastructures.StressOptions
import org.jetbrains.lincheck.datastructures.forClasses
import kotlin.reflect.KClass

/** How many scenarios each check tries. Choosing interleavings one by one takes a second or more for a scenario. */
private val scenarios = Integer.getInteger("ratelimit.lincheck.scenarios", 2)

/** Checks in two ways that the answers of [calls] are those of [specification] called in some order, one call after another. */
internal fun checkInterleavings(
    calls: KClass<*>,
    specification: KClass<*>,
) {
    checkModel(calls, specification, scenarios)
    StressOptions()
        .iterations(scenarios * 2)
        .invocationsPerIteration(1_000)
        .shaped(specification)
        .check(calls)
}

/** Interleavings chosen one by one: any of them. The arithmetic is left out, which sees only what its caller has locked or copied. */
internal fun checkModel(
    calls: KClass<*>,
    specification: KClass<*>,
    scenarios: Int,
) = ModelCheckingOptions()
    .iterations(scenarios)
    .invocationsPerIteration(100)
    .addGuarantee(forClasses { it.startsWith(ARITHMETIC) }.allMethods().ignore())
    .shaped(specification)
    .check(calls)

/** Nothing is called before the parallel part: that would use a small bucket up before the race. */
private fun <O : Options<O, *>> O.shaped(specification: KClass<*>): O =
    threads(2).actorsPerThread(3).actorsBefore(0).actorsAfter(1).sequentialSpecification(specification.java)

/** The bucket of [key] under [limit], in the terms of the inside of a store. */
internal fun claimOn(
    limit: RateLimit,
    key: String,
    permits: Long = 1,
    slot: Int = 0,
) = Claim(Rule("limiter", slot, Meter.of(limit, 0)), key, permits)

private const val ARITHMETIC = "dev.ratelimit.jvm.algorithm."
