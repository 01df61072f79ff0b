package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.line.Gate
import dev.ratelimit.jvm.line.WaitingLine
import java.util.concurrent.ConcurrentHashMap

/** The waiting lines of one limiter, one for each key. */
internal interface Lines {
    /** The line of [key] if somebody waits there. */
    fun occupied(key: Any?): WaitingLine?

    /** The line of [key], for a caller about to enter it; every call is followed by one of [done]. */
    fun use(key: Any?): WaitingLine

    fun done(key: Any?)

    /** See [WaitingLine.behind]; for a call that finds nobody waiting. */
    fun behind(
        gate: Gate,
        now: Long,
    ): Long

    /** See [WaitingLine.granted]. */
    fun granted(
        at: Long,
        behind: Long,
        result: RateLimitResult,
    )

    /** Lets the heads of all lines look at their limits again. */
    fun retimeAll()
}

/** The line of a limiter without keys. It stays, and so remembers how far its schedule is behind. */
internal class OneLine(
    maxWaiters: Int,
) : Lines {
    private val line = WaitingLine(maxWaiters)

    override fun occupied(key: Any?) = if (line.isOccupied) line else null

    override fun use(key: Any?) = line

    override fun done(key: Any?) = Unit

    override fun behind(
        gate: Gate,
        now: Long,
    ) = line.behind(gate, now)

    override fun granted(
        at: Long,
        behind: Long,
        result: RateLimitResult,
    ) = line.granted(at, behind, result)

    override fun retimeAll() = line.retime()
}

/** Lines by key, each there only while somebody waits in it. */
internal class KeyedLines(
    private val maxWaiters: Int,
) : Lines {
    private class Used(
        val line: WaitingLine,
        val users: Int,
    )

    private val lines = ConcurrentHashMap<Any, Used>()

    override fun occupied(key: Any?): WaitingLine? = if (lines.isEmpty()) null else lines[key!!]?.line?.takeIf { it.isOccupied }

    override fun use(key: Any?): WaitingLine =
        checkNotNull(
            lines.compute(key!!) { _, used -> Used(used?.line ?: WaitingLine(maxWaiters), (used?.users ?: 0) + 1) },
        ).line

    override fun done(key: Any?) {
        lines.computeIfPresent(key!!) { _, used -> if (used.users == 1) null else Used(used.line, used.users - 1) }
    }

    override fun behind(
        gate: Gate,
        now: Long,
    ) = 0L

    override fun granted(
        at: Long,
        behind: Long,
        result: RateLimitResult,
    ) = Unit

    override fun retimeAll() = lines.values.forEach { it.line.retime() }
}
