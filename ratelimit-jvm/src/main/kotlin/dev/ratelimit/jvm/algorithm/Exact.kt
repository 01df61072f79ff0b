package dev.ratelimit.jvm.algorithm

import java.math.BigInteger

/** Products of two non-negative longs without overflow; only quotients that need it leave 64 bits. */
internal object Exact {
    /** Whether a * b <= c * d. */
    fun productAtMost(
        a: Long,
        b: Long,
        c: Long,
        d: Long,
    ): Boolean {
        val high = Math.multiplyHigh(a, b).compareTo(Math.multiplyHigh(c, d))
        return high < 0 || (high == 0 && java.lang.Long.compareUnsigned(a * b, c * d) <= 0)
    }

    /** a * b / c, rounded down; [Long.MAX_VALUE] where it does not fit. */
    fun mulDivDown(
        a: Long,
        b: Long,
        c: Long,
    ): Long = if (fits(a, b)) a * b / c else saturated(big(a).multiply(big(b)).divide(big(c)))

    /** a * b / c, rounded up; [Long.MAX_VALUE] where it does not fit. */
    fun mulDivUp(
        a: Long,
        b: Long,
        c: Long,
    ): Long =
        if (fits(a, b)) {
            ceilDiv(a * b, c)
        } else {
            saturated(big(a).multiply(big(b)).add(big(c - 1)).divide(big(c)))
        }

    /** (a * b + plus) / c, rounded up; [Long.MAX_VALUE] where it does not fit. */
    fun mulAddDivUp(
        a: Long,
        b: Long,
        plus: Long,
        c: Long,
    ): Long =
        if (fits(a, b) && a * b <= Long.MAX_VALUE - plus) {
            ceilDiv(a * b + plus, c)
        } else {
            saturated(big(a).multiply(big(b)).add(big(plus)).add(big(c - 1)).divide(big(c)))
        }

    /** a / b rounded up, for a >= 0 and b > 0. */
    fun ceilDiv(
        a: Long,
        b: Long,
    ): Long {
        val quotient = a / b
        return if (quotient * b == a) quotient else quotient + 1
    }

    /** a + b for non-negative numbers; [Long.MAX_VALUE] where it does not fit. */
    fun saturatedSum(
        a: Long,
        b: Long,
    ): Long {
        val sum = a + b
        return if (sum < 0) Long.MAX_VALUE else sum
    }

    /** Whether the product of two non-negative longs is a long. */
    fun fits(
        a: Long,
        b: Long,
    ): Boolean = Math.multiplyHigh(a, b) == 0L && a * b >= 0

    private fun big(value: Long) = BigInteger.valueOf(value)

    private fun saturated(value: BigInteger) = if (value.bitLength() < Long.SIZE_BITS) value.toLong() else Long.MAX_VALUE
}
