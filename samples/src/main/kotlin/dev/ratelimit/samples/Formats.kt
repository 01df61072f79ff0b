package dev.ratelimit.samples

import java.util.Locale
import kotlin.time.Duration
import kotlin.time.DurationUnit

private val UNITS = listOf("B", "KiB", "MiB", "GiB", "TiB")

/** `1.5MiB` */
internal fun bytes(count: Long): String {
    var amount = count.toDouble()
    var unit = 0
    while (amount >= 1024 && unit < UNITS.lastIndex) {
        amount /= 1024
        unit++
    }
    return if (unit == 0) "${count}B" else decimal(amount) + UNITS[unit]
}

/** `1.5MiB/s` */
internal fun speed(count: Long, nanos: Long): String = if (nanos <= 0) "0B/s" else bytes((count * 1e9 / nanos).toLong()) + "/s"

/** `2.5 s` */
internal fun seconds(time: Duration): String = decimal(time.toDouble(DurationUnit.SECONDS)) + " s"

internal fun decimal(number: Double): String = String.format(Locale.ROOT, "%.1f", number)
