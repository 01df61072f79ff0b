package dev.ratelimit.jvm.model

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.math.BigInteger

internal class FractionTest :
    FunSpec({
        fun fraction(
            numerator: Long,
            denominator: Long,
        ) = Fraction.of(BigInteger.valueOf(numerator), BigInteger.valueOf(denominator))

        test("is kept in lowest terms with a positive denominator") {
            fraction(6, -4) shouldBe fraction(-3, 2)
            fraction(6, -4).hashCode() shouldBe fraction(-3, 2).hashCode()
            "${fraction(6, -4)}" shouldBe "-3/2"
            fraction(0, -7) shouldBe Fraction.ZERO
            "${fraction(-8, -4)}" shouldBe "2"
            shouldThrow<ArithmeticException> { fraction(1, 0) }
            shouldThrow<ArithmeticException> { Fraction.ONE / Fraction.ZERO }
        }

        test("adds, subtracts, multiplies, divides and compares exactly") {
            fraction(1, 3) + fraction(1, 6) shouldBe fraction(1, 2)
            fraction(1, 3) - fraction(1, 2) shouldBe fraction(-1, 6)
            fraction(-2, 3) * fraction(3, 4) shouldBe fraction(-1, 2)
            fraction(2, 3) / fraction(-4, 3) shouldBe fraction(-1, 2)
            (fraction(1, 3) < fraction(1, 2)) shouldBe true
            (fraction(-1, 3) < fraction(-1, 2)) shouldBe false
            fraction(2, 6).compareTo(fraction(1, 3)) shouldBe 0
        }

        test("floor and ceil, on both sides of zero") {
            // twice the number, floor, ceil
            val rows = listOf(Triple(-4L, -2L, -2L), Triple(-3L, -2L, -1L), Triple(-1L, -1L, 0L), Triple(0L, 0L, 0L), Triple(3L, 1L, 2L))
            for ((halves, floor, ceil) in rows) {
                fraction(halves, 2).floor() shouldBe BigInteger.valueOf(floor)
                fraction(halves, 2).ceil() shouldBe BigInteger.valueOf(ceil)
            }
        }
    })
