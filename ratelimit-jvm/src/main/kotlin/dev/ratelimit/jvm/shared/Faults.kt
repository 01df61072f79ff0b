package dev.ratelimit.jvm.shared

import java.lang.invoke.MethodHandles

/**
 * Faults of mapped memory whose file was cut short. The JVM tells of them by an [InternalError] that may come later, where interpreted code
 * enters the JVM the next time; it must not come in the code of a caller.
 */
internal object Faults {
    /** Makes an array, for which interpreted code enters the JVM. */
    internal class Entrance {
        @JvmField
        val array = LongArray(1)
    }

    private const val MOST = 8
    private const val IN_A_ROW = 2
    private val lookup = MethodHandles.lookup()
    private val code: ByteArray =
        checkNotNull(Entrance::class.java.getResourceAsStream("${Entrance::class.java.name.substringAfterLast('.')}.class"))
            .use { it.readAllBytes() }

    /** Sees to it that all that are still to come have come. */
    fun drain() {
        var calm = 0
        repeat(MOST) { if (calm < IN_A_ROW) calm = if (isCalm()) calm + 1 else 0 }
    }

    /** A class that was made just now is interpreted. */
    @Suppress("TooGenericExceptionCaught")
    private fun isCalm(): Boolean =
        try {
            lookup
                .defineHiddenClass(code, true)
                .lookupClass()
                .getDeclaredConstructor()
                .newInstance()
            true
        } catch (ignored: Throwable) {
            false
        }
}
