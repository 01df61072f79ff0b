package dev.ratelimit.jvm.store

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions
import org.jetbrains.lincheck.datastructures.Options
import org.jetbrains.lincheck.datastructures.StressOptions
import kotlin.reflect.KClass

/** Checks in all ways that the answers of [calls] are those of [specification] called in some order, one call after another. */
internal fun checkInterleavings(
    calls: KClass<*>,
    specification: KClass<*>,
) {
    modelChecking(specification).check(calls)
    stress(specification).check(calls)
}

/** Interleavings chosen one by one: short, but any of them. */
internal fun modelChecking(specification: KClass<*>): ModelCheckingOptions =
    ModelCheckingOptions().shaped(specification).iterations(20).invocationsPerIteration(500)

/** Interleavings as the machine makes them. */
internal fun stress(specification: KClass<*>): StressOptions =
    StressOptions().shaped(specification).iterations(20).invocationsPerIteration(1_000)

/** Nothing is called before the parallel part: that would use a small bucket up before the race. */
private fun <O : Options<O, *>> O.shaped(specification: KClass<*>): O =
    threads(2).actorsPerThread(3).actorsBefore(0).actorsAfter(2).sequentialSpecification(specification.java)
