package dev.ratelimit;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * The fraction that somebody meant who wrote a {@code double}: of all fractions that round to it, the one with the least
 * denominator. So 0.1 is 1/10, and 100.0 / 3 is 100/3, although neither is a {@code double}.
 *
 * <p>A walk down the Stern-Brocot tree by continued fractions: Graham, Knuth, Patashnik, "Concrete Mathematics", section 4.5.
 */
final class SimplestFraction {

    private static final BigDecimal TWO = BigDecimal.valueOf(2);

    private SimplestFraction() {}

    /** Numerator and denominator of a positive, finite number. */
    static BigInteger[] of(double value) {
        BigDecimal exact = new BigDecimal(value);
        if (value == Math.rint(value)) {
            return new BigInteger[] {exact.toBigIntegerExact(), BigInteger.ONE};
        }
        BigDecimal above = new BigDecimal(Math.ulp(value)).divide(TWO);
        // Below a power of two the next double lies only half as far.
        BigDecimal below =
                value == Double.MIN_VALUE || Math.getExponent(Math.nextDown(value)) == Math.getExponent(value)
                        ? above
                        : above.divide(TWO);
        BigInteger scale = BigInteger.TEN.pow(Math.max(0, Math.max(exact.scale(), below.scale())));
        BigDecimal factor = new BigDecimal(scale);
        return between(
                exact.subtract(below).multiply(factor).toBigIntegerExact(),
                scale,
                exact.add(above).multiply(factor).toBigIntegerExact(),
                scale);
    }

    /** The simplest fraction in the billionth below a positive one, itself included. */
    static BigInteger[] closelyBelow(BigInteger[] fraction) {
        BigInteger billion = BigInteger.valueOf(1_000_000_000L);
        return between(
                fraction[0].multiply(billion.subtract(BigInteger.ONE)),
                fraction[1].multiply(billion),
                fraction[0],
                fraction[1]);
    }

    /** The simplest fraction x with a/b <= x <= c/d. */
    private static BigInteger[] between(BigInteger a, BigInteger b, BigInteger c, BigInteger d) {
        BigInteger[] whole = a.divideAndRemainder(b);
        if (whole[1].signum() == 0) {
            return new BigInteger[] {whole[0], BigInteger.ONE};
        }
        BigInteger next = whole[0].add(BigInteger.ONE);
        if (next.multiply(d).compareTo(c) <= 0) {
            return new BigInteger[] {next, BigInteger.ONE};
        }
        BigInteger[] rest = between(d, c.subtract(whole[0].multiply(d)), b, whole[1]);
        return new BigInteger[] {whole[0].multiply(rest[0]).add(rest[1]), rest[0]};
    }
}
