package dev.ratelimit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A rate as a {@code double} means the simplest fraction that rounds to it. */
class RateLimitFractionTest {
    @ParameterizedTest
    @CsvSource({
        "0.5, 1, 2, 1",
        "0.1, 1, 10, 1",
        "0.2, 1, 5, 1",
        "0.7, 7, 10, 1",
        "1.1, 11, 10, 1",
        "33.3, 333, 10, 33",
        "33.333333333333336, 100, 3, 33",
        "0.3333333333333333, 1, 3, 1",
        "0.6666666666666666, 2, 3, 1",
        "0.001, 1, 1000, 1",
        "1e-5, 1, 100000, 1",
        "1e-10, 1, 10000000000, 1",
        "2.5, 5, 2, 2",
        "1000000000000000.5, 2000000000000001, 2, 1000000000000000",
        "2e9, 2000000000, 1, 2000000000",
        "9007199254740993, 9007199254740992, 1, 9007199254740992",
        "1e18, 1000000000000000000, 1, 1000000000000000000",
        "9e18, 9000000000000000000, 1, 9000000000000000000",
        "3.141592653589793, 245850922, 78256779, 3",
    })
    void theFractionThatWasMeant(double rate, long permits, long seconds, long burst) {
        assertEquals(
                RateLimit.tokenBucket(permits, Duration.ofSeconds(seconds)).withBurst(burst),
                RateLimit.perSecond(rate));
    }

    @Test
    void theFractionIsOfTheUnitThatWasNamed() {
        assertEquals(RateLimit.tokenBucket(1, Duration.ofMinutes(10)), RateLimit.perMinute(0.1));
        assertEquals(RateLimit.tokenBucket(1, Duration.ofHours(10)), RateLimit.perHour(0.1));
        assertEquals(RateLimit.tokenBucket(1, Duration.ofDays(10)), RateLimit.perDay(0.1));
        assertEquals(RateLimit.tokenBucket(100, Duration.ofDays(3)).withBurst(33), RateLimit.perDay(100.0 / 3));
    }

    /** Two fractions with denominators below 10⁵ lie at least 10⁻¹⁰ apart: only one of them can round to the quotient. */
    @Test
    void everyQuotientOfSmallNumbersIsReadAsItself() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 20_000; i++) {
            long seconds = random.nextLong(1, 1 + (100_000L >> random.nextInt(16)));
            long permits = random.nextLong(1, 1 + (1_000 * seconds >> random.nextInt(16)) + 1);
            long divisor =
                    BigInteger.valueOf(permits).gcd(BigInteger.valueOf(seconds)).longValue();
            RateLimit limit = RateLimit.perSecond((double) permits / seconds);
            assertEquals(permits / divisor, limit.permits());
            assertEquals(Duration.ofSeconds(seconds / divisor), limit.period());
            assertEquals(Math.max(1, permits / seconds), limit.burst());
        }
    }

    @Test
    void everyRateRoundsBackToTheNumberThatWasGiven() {
        SplittableRandom random = new SplittableRandom(8);
        for (int i = 0; i < 3_000; i++) {
            double rate = random.nextDouble(0.5, 1) * Math.pow(2, random.nextInt(-25, 62));
            RateLimit limit = RateLimit.perSecond(rate);
            BigDecimal quotient = BigDecimal.valueOf(limit.permits())
                    .divide(BigDecimal.valueOf(limit.period().toSeconds()), new MathContext(60));
            assertEquals(rate, quotient.doubleValue());
            assertTrue(limit.burst() >= 1 && limit.burst() <= Math.max(1, rate));
        }
    }

    @Test
    void aFractionTooFineForItsUnitIsRoundedDownByABillionthAtMost() {
        assertEquals(RateLimit.perDay(0.3), RateLimit.perDay(0.1 + 0.2));
        assertEquals(RateLimit.perDay(3.3), RateLimit.perDay(1.1 * 3));
        for (RateLimit limit : new RateLimit[] {RateLimit.perDay(0.7 + 0.1), RateLimit.parse("0.7999999999999999/d")}) {
            double perDay = (double) limit.permits() / limit.period().toDays();
            assertTrue(perDay <= 0.8 && perDay >= 0.8 * (1 - 1.1e-9), limit::toString);
        }
        RateLimit third = RateLimit.parse("0.3333333333333333/d");
        double perDay = (double) third.permits() / third.period().toDays();
        assertTrue(perDay <= 0.3333333333333333 && perDay >= 0.3333333333333333 * (1 - 1.1e-9), third::toString);
    }

    @Test
    void aPowerOfTwoIsReadAsItself() {
        for (int exponent = -33; exponent <= 62; exponent++) {
            RateLimit limit = RateLimit.perSecond(Math.scalb(1.0, exponent));
            assertEquals(exponent < 0 ? 1 : 1L << exponent, limit.permits());
            assertEquals(Duration.ofSeconds(exponent < 0 ? 1L << -exponent : 1), limit.period());
        }
    }

    @Test
    void theBurstIsTheRateRoundedDownAndAtLeastOne() {
        assertEquals(1, RateLimit.perSecond(0.999).burst());
        assertEquals(1, RateLimit.perSecond(1.999).burst());
        assertEquals(2, RateLimit.perSecond(2).burst());
    }
}
