package dev.ratelimit.jvm.redis.rig

import java.util.concurrent.ConcurrentHashMap

/** What nobody closed is closed with the JVM. */
internal object Leftovers {
    private val open = ConcurrentHashMap.newKeySet<AutoCloseable>()

    init {
        Runtime.getRuntime().addShutdownHook(Thread { open.forEach { runCatching(it::close) } })
    }

    operator fun plusAssign(rig: AutoCloseable) {
        open += rig
    }

    operator fun minusAssign(rig: AutoCloseable) {
        open -= rig
    }
}
