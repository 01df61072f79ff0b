package dev.ratelimit.jvm.model

import java.math.BigInteger

/** An exact rational number in lowest terms with a positive denominator, so that equal numbers are equal objects. */
internal class Fraction private constructor(
    private val numerator: BigInteger,
    private val denominator: BigInteger,
) : Comparable<Fraction> {
    operator fun plus(other: Fraction): Fraction =
        of(numerator * other.denominator + other.numerator * denominator, denominator * other.denominator)

    operator fun minus(other: Fraction): Fraction =
        of(numerator * other.denominator - other.numerator * denominator, denominator * other.denominator)

    operator fun times(other: Fraction): Fraction = of(numerator * other.numerator, denominator * other.denominator)

    operator fun div(other: Fraction): Fraction = of(numerator * other.denominator, denominator * other.numerator)

    override operator fun compareTo(other: Fraction): Int = (numerator * other.denominator).compareTo(other.numerator * denominator)

    /** The greatest whole number that is not above this one. */
    fun floor(): BigInteger {
        val (quotient, remainder) = numerator.divideAndRemainder(denominator)
        return if (remainder.signum() < 0) quotient - BigInteger.ONE else quotient
    }

    /** The least whole number that is not below this one. */
    fun ceil(): BigInteger {
        val (quotient, remainder) = numerator.divideAndRemainder(denominator)
        return if (remainder.signum() > 0) quotient + BigInteger.ONE else quotient
    }

    override fun equals(other: Any?): Boolean = other is Fraction && numerator == other.numerator && denominator == other.denominator

    override fun hashCode(): Int = 31 * numerator.hashCode() + denominator.hashCode()

    override fun toString(): String = if (denominator == BigInteger.ONE) "$numerator" else "$numerator/$denominator"

    companion object {
        val ZERO: Fraction = of(0)
        val ONE: Fraction = of(1)

        fun of(whole: Long): Fraction = of(whole.toBigInteger())

        fun of(whole: BigInteger): Fraction = Fraction(whole, BigInteger.ONE)

        fun of(
            numerator: BigInteger,
            denominator: BigInteger,
        ): Fraction {
            if (denominator.signum() == 0) throw ArithmeticException("$numerator / 0")
            val gcd = numerator.gcd(denominator)
            val divisor = if (denominator.signum() < 0) -gcd else gcd
            return Fraction(numerator / divisor, denominator / divisor)
        }
    }
}
