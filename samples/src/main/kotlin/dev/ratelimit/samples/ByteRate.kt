package dev.ratelimit.samples

import java.math.BigDecimal

/**
 * Bytes a second as wget reads them after `--limit-rate`: `500`, `500k`, `2.5M`, `1g`; K is 1024.
 *
 * @throws IllegalArgumentException if [text] is none, with what to write instead
 */
internal fun byteRate(text: String): Long {
    val match = requireNotNull(BYTES.matchEntire(text.trim())) { "'$text' is not a number of bytes a second; write for example 500K or 2M" }
    val (number, unit) = match.destructured
    val factor = if (unit.isEmpty()) 1L else 1L shl (SHIFT * (UNITS.indexOf(unit.uppercase()) + 1))
    val bytes = BigDecimal(number) * factor.toBigDecimal()
    require(bytes >= BigDecimal.ONE) { "'$text' is less than a byte a second; write at least 1" }
    require(bytes <= Long.MAX_VALUE.toBigDecimal()) { "'$text' is more bytes a second than can be counted; write for example 2G" }
    return bytes.toLong()
}

private const val UNITS = "KMGT"
private const val SHIFT = 10
private val BYTES = Regex("(\\d{1,18}(?:\\.\\d{1,9})?)([kmgtKMGT]?)")
