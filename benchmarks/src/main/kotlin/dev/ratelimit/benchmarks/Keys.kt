package dev.ratelimit.benchmarks

import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.State
import java.util.SplittableRandom

/** A million keys, and one of them at random. */
@State(Scope.Thread)
open class Keys {
    private val all = many()
    private val random = SplittableRandom(SEED)

    internal fun next(): String = all[random.nextInt(all.size)]

    /** Gives each key to [use] once, in no particular order. */
    internal fun forEach(use: (String) -> Unit) {
        val order = all.clone()
        order.shuffle(kotlin.random.Random(SEED))
        order.forEach(use)
    }

    internal companion object {
        const val COUNT = 1_000_000
        const val SEED = 42L

        fun many(): Array<String> = Array(COUNT) { "user-$it" }
    }
}
