package dev.ratelimit.jvm.shared

import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest

/** What Linux tells of the machine and its processes. Elsewhere most of it is not known, and said so by null or 0. */
internal object Machine {
    private val proc: Path = Path.of("/proc")

    /** Names this start of the machine; 0 where it has no name. */
    val boot: Long by lazy { text("sys/kernel/random/boot_id")?.let(::fingerprint) ?: 0 }

    /** Names the space in which process ids mean something: containers have their own. */
    val pidSpace: Long by lazy {
        runCatching { Files.readSymbolicLink(proc.resolve("self/ns/pid")).toString() }.getOrNull()?.let(::fingerprint) ?: 0
    }

    /** The user that this process acts as. */
    val user: Any? by lazy { runCatching { Files.getAttribute(proc.resolve("self"), "unix:uid") }.getOrNull() }

    val pid: Long = ProcessHandle.current().pid()

    /**
     * When the process [pid] was started, in the clock ticks of the machine, or in milliseconds where it tells no ticks; null if there is
     * no such process. Two processes of one id are told apart by it.
     */
    fun startOf(pid: Long): Long? {
        // The name of the process stands in brackets and may contain anything.
        val fields = text("$pid/stat")?.substringAfterLast(')')?.trim()?.split(' ')
        val ticks = fields?.getOrNull(START_FIELD)?.toLongOrNull()
        // One that has ended stays listed until its parent takes note, which some never do.
        if (ticks != null) return if (fields[STATE_FIELD] == ENDED && fields[THREADS_FIELD] in setOf("0", "1")) null else ticks
        if (boot != 0L) return null
        val handle = ProcessHandle.of(pid).filter { it.isAlive }.orElse(null) ?: return null
        return handle.info().startInstant().map { it.toEpochMilli() }.orElse(0)
    }

    /** How long the machine has been on, asleep or not; null if it does not tell. */
    fun upNanos(): Long? = text("uptime")?.substringBefore(' ')?.toDoubleOrNull()?.let { (it * NANOS_PER_SECOND).toLong() }

    private fun text(name: String): String? = runCatching { Files.readString(proc.resolve(name)).trim() }.getOrNull()

    private fun fingerprint(text: String): Long =
        MessageDigest.getInstance("SHA-256").digest(text.toByteArray()).take(Layout.WORD).fold(0L) { sum, byte ->
            (sum shl Byte.SIZE_BITS) or (byte.toLong() and BYTE)
        }

    /** The 3rd, 20th and 22nd field of all; the first two are cut off. */
    private const val STATE_FIELD = 0
    private const val THREADS_FIELD = 17
    private const val START_FIELD = 19
    private const val ENDED = "Z"
    private const val NANOS_PER_SECOND = 1e9
    private const val BYTE = 0xffL
}
