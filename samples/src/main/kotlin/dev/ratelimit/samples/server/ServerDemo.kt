package dev.ratelimit.samples.server

import com.github.ajalt.mordant.terminal.Terminal
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.spi.RateLimitStore
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.security.SecureRandom
import java.util.HexFormat
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** An API in two instances behind one Redis, or in one that keeps its limits in memory; and callers, most of whom misbehave. */
internal class ServerDemo(
    private val terminal: Terminal,
    private val usesRedis: Boolean,
    private val ports: List<Int>,
    private val duration: Duration,
) {
    private val callers = Caller.everybody()

    /** Whether limits held: nobody who guesses passwords got more than the limit, no call failed, and decent callers were served. */
    suspend fun run(): Boolean {
        val redis = if (usesRedis) RedisProcess.start() else null
        try {
            val stores = if (redis == null) listOf(MemoryStore()) else List(INSTANCES) { RedisStore.connect(redis.url) }
            try {
                return run(stores)
            } finally {
                stores.forEach { it.close() }
            }
        } finally {
            redis?.close()
        }
    }

    private suspend fun run(stores: List<RateLimitStore>): Boolean {
        val admin = ApiServer.Admin(HexFormat.of().formatHex(ByteArray(PASSWORD_BYTES).also(SecureRandom()::nextBytes)))
        val servers = stores.mapIndexed { i, store -> ApiServer.start(store, ports.getOrElse(i) { 0 }, admin) }
        try {
            val instances = servers.map { "http://${ApiServer.HOST}:${it.engine.resolvedConnectors().first().port}" }
            terminal.println("${instances.size} instance(s) of an API, limits in ${stores[0]}.")
            instances.forEach { terminal.println("  $it   dashboard: $it/rate-limits/") }
            terminal.println("  dashboards: user admin, password ${admin.password}\n")
            load(instances)
        } finally {
            servers.forEach { it.stopSuspend(0, GRACE_MILLIS) }
        }
        return verdict()
    }

    private suspend fun load(instances: List<String>) {
        HttpClient(CIO).use { client ->
            withTimeoutOrNull(duration) {
                coroutineScope {
                    val all = callers.map { launch { it.run(client, instances) } }
                    launch {
                        while (true) {
                            delay(REPORT)
                            terminal.println(report())
                        }
                    }
                    all.joinAll()
                }
            }
        }
        terminal.println(report())
    }

    private fun report(): String =
        (listOf("".padEnd(LABEL) + listOf("served", "429", "failed").joinToString("") { it.padStart(CELL) }) + callers.map(::line))
            .joinToString("\n", postfix = "\n")

    private fun line(caller: Caller) =
        caller.name.padEnd(LABEL) + listOf(caller.passed, caller.refused, caller.failed).joinToString("") { "$it".padStart(CELL) }

    private fun verdict(): Boolean {
        // Windows begin with the clock's minutes: one more than whole ones may begin meanwhile, at each end.
        val windows = duration.inWholeMinutes + 2
        val guesses = callers.filter { "guesser" in it.name }
        val areGuessesHeld = guesses.all { it.passed.get() <= windows * ApiServer.LOGINS_A_MINUTE && it.refused.get() > 0 }
        val isServed = callers[0].passed.get() > 0 && callers.all { it.failed.get() == 0L }
        val isFine = areGuessesHeld && isServed
        terminal.println(
            if (isFine) {
                "The limits held over all instances: nobody guessed more than ${ApiServer.LOGINS_A_MINUTE} passwords in a minute."
            } else {
                "The limits did not hold, or decent calls failed."
            },
        )
        return isFine
    }

    private companion object {
        const val INSTANCES = 2
        const val PASSWORD_BYTES = 6
        const val GRACE_MILLIS = 1_000L
        const val LABEL = 38
        const val CELL = 10
        val REPORT = 5.seconds
    }
}
