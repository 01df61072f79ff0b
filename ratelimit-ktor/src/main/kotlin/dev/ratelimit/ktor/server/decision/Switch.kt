package dev.ratelimit.ktor.server.decision

import dev.ratelimit.ktor.server.monitoring.Questions
import dev.ratelimit.spi.TallyEntry
import dev.ratelimit.spi.TallyStore
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/**
 * The emergency switch. Here it acts at once; where the [store] counts for all instances, the others find out when they next look there,
 * every [interval]. While the store is away an instance has a switch of its own, and tells the store when it is back.
 *
 * In the store stands how often it was turned, a number that only grows, so that the last turn is the last for everybody: odd for off. An
 * instance that starts takes over an off, and nothing else: its own settings may say that it is off.
 *
 * Thread-safe.
 */
internal class Switch(
    isOn: Boolean,
    private val store: TallyStore?,
    scope: CoroutineScope,
    private val interval: Duration = 1.seconds,
) : AutoCloseable {
    /** Told the store when it is there again. */
    private class Turn(
        val isOn: Boolean,
    )

    private val writer = UUID.randomUUID().toString()
    private val hasTurned = Channel<Unit>(Channel.CONFLATED)
    private var turns = UNKNOWN
    private var entries = 0L
    private var untold: Turn? = null

    /** Whether it is that of all instances. */
    val isShared: Boolean get() = store != null

    @Volatile
    var isOn: Boolean = isOn
        private set

    /** Whether the store has answered the last time; without such a store, always. */
    @Volatile
    var isReached: Boolean = true
        private set

    private val looking = store?.let { scope.launch { while (true) lookAndRest(it) } }

    private suspend fun lookAndRest(store: TallyStore) {
        isReached = Questions.orNull { look(store) } != null
        rest()
    }

    private suspend fun rest() {
        withTimeoutOrNull(interval) { hasTurned.receive() }
    }

    fun turn(isOn: Boolean) {
        synchronized(this) {
            this.isOn = isOn
            untold = Turn(isOn)
        }
        hasTurned.trySend(Unit)
    }

    private suspend fun look(store: TallyStore) {
        val stored = Questions.inTime { store.talliesAsync(listOf(GROUP)) }[0].numbers[TURNS] ?: 0
        val (turn, entry) =
            synchronized(this) {
                val turn = untold
                if (turn == null) follow(stored) else turns = after(maxOf(stored, turns), turn.isOn)
                turn to if (stored < turns) entry() else null
            }
        if (entry != null) Questions.inTime { store.tallyAsync(entry) }
        synchronized(this) { if (untold === turn) untold = null }
    }

    private fun follow(stored: Long) {
        val isNews = if (turns == UNKNOWN) isOff(stored) else stored > turns
        turns = maxOf(turns, stored)
        if (!isNews || isOn != isOff(stored)) return
        isOn = !isOff(stored)
        log.warn("limits are switched {} for all instances", if (isOn) "on" else "off")
    }

    private fun after(
        turns: Long,
        isOn: Boolean,
    ): Long = if (isOff(turns + 1) == isOn) turns + 2 else turns + 1

    private fun isOff(turns: Long) = turns % 2 == 1L

    private fun entry() = TallyEntry(GROUP, writer, ++entries, emptyMap(), mapOf(TURNS to turns), RETENTION.toJavaDuration())

    override fun close() {
        looking?.cancel()
    }

    private companion object {
        val log = LoggerFactory.getLogger("dev.ratelimit.ktor.server.RateLimiting")
        const val GROUP = "switch"
        const val TURNS = "turns"
        const val UNKNOWN = -1L

        /** Whoever is there tells the store again when it has forgotten. */
        val RETENTION = 31.days
    }
}
