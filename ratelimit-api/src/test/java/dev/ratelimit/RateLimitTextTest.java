package dev.ratelimit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code parse} reads what {@code toString} writes, and what people write. */
class RateLimitTextTest {
    private static final long[] UNITS = {
        1, 1_000, 1_000_000, 1_000_000_000, 60_000_000_000L, 3_600_000_000_000L, 86_400_000_000_000L
    };

    @ParameterizedTest
    @CsvSource({
        "10/s, 10/1s",
        "100/1m burst 150, 100/1m burst 150",
        "5/5m fixed-window, 5/5m fixed-window",
        "1000/1h30m sliding-log, 1000/90m sliding-log",
        "10/1s leaky-bucket burst 100, 10/1s leaky-bucket burst 100",
        "10/1s token-bucket burst 5, 10/1s burst 5",
        "3/1500ms sliding-window, 3/1500ms sliding-window",
        "1/90m, 1/90m",
        "1/60m, 1/1h",
        "1/24h, 1/1d",
        "1/1000ns, 1/1us",
        "0.5/s, 1/2s",
        "2.50/m, 5/2m burst 2",
        "33.3/s, 333/10s burst 33",
        "1e3/s, 1000/1s",
        "1.5E-2/d, 3/200d burst 1",
        "0.25/h leaky-bucket, 1/4h leaky-bucket",
        "0.5/s burst 4, 1/2s burst 4",
    })
    void readsAndWrites(String text, String written) {
        assertEquals(written, RateLimit.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"10/s", " 10/s ", "10 / s", "10 /1s", "10/\t1S", "10/sec", "10/second", "10/1seconds", "10.0/s"})
    void spacesCaseAndNamesOfUnitsAreFree(String text) {
        assertEquals(RateLimit.perSecond(10), RateLimit.parse(text));
    }

    @ParameterizedTest
    @CsvSource({
        "ns nanos nanosecond nanoseconds, PT0.000000001S",
        "us µs μs microsecond microseconds, PT0.000001S",
        "ms millis millisecond milliseconds, PT0.001S",
        "s sec second seconds, PT1S",
        "m min minute minutes, PT1M",
        "h hour hours, PT1H",
        "d day days, PT24H",
    })
    void everyUnitHasItsEnglishNames(String names, Duration period) {
        for (String name : names.split(" ")) {
            assertEquals(RateLimit.tokenBucket(3, period), RateLimit.parse("3/" + name));
            assertEquals(RateLimit.tokenBucket(3, period.multipliedBy(2)), RateLimit.parse("3/2" + name));
        }
    }

    @Test
    void partsOfAPeriodAddUp() {
        Duration sum = Duration.ofDays(1)
                .plusHours(2)
                .plusMinutes(3)
                .plusSeconds(4)
                .plusMillis(5)
                .plusNanos(6_007);
        assertEquals(RateLimit.tokenBucket(1, sum), RateLimit.parse("1/1d2h3m4s5ms6us7ns"));
        assertEquals(RateLimit.tokenBucket(1, Duration.ofMinutes(90)), RateLimit.parse("1/1hour30minutes"));
    }

    @Test
    void whatIsWrittenIsReadBack() {
        SplittableRandom random = new SplittableRandom(42);
        LongSupplier number = () -> 1 + (random.nextLong() >>> 1 + random.nextInt(60)) % Long.MAX_VALUE;
        for (int i = 0; i < 3_000; i++) {
            long permits = number.getAsLong();
            Duration period = Duration.ofSeconds(number.getAsLong(), random.nextInt(1_000_000_000));
            if (random.nextInt(4) > 0) {
                period =
                        Duration.ofNanos(UNITS[random.nextInt(UNITS.length)]).multipliedBy(1 + random.nextInt(100_000));
            }
            assertReadBack(RateLimit.tokenBucket(permits, period));
            assertReadBack(RateLimit.tokenBucket(permits, period).withBurst(number.getAsLong()));
            assertReadBack(RateLimit.leakyBucket(permits, period, number.getAsLong()));
            assertReadBack(RateLimit.fixedWindow(permits, period));
            assertReadBack(RateLimit.slidingWindow(permits, period));
            assertReadBack(RateLimit.slidingLog(Math.min(permits, RateLimit.MAX_SLIDING_LOG_PERMITS), period));
            assertReadBack(RateLimit.perMinute(random.nextDouble(1e-3, 1e6)));
        }
    }

    @Test
    void theLongestPeriodIsReadBack() {
        assertReadBack(RateLimit.every(Duration.ofSeconds(Long.MAX_VALUE, 999_999_999)));
        assertReadBack(RateLimit.every(Duration.ofSeconds(Long.MAX_VALUE, 1_000_000)));
        assertReadBack(RateLimit.every(Duration.ofSeconds(Long.MAX_VALUE)));
    }

    @Test
    void aRateInTextIsTheSameAsInCode() {
        for (String rate : List.of("0.5", "0.1", "33.3", "1e-10", "2e9", "0.001", "7", "1e18", "12345.678")) {
            double number = Double.parseDouble(rate);
            assertEquals(RateLimit.perSecond(number), RateLimit.parse(rate + "/s"));
            assertEquals(RateLimit.perMinute(number), RateLimit.parse(rate + "/m"));
            assertEquals(RateLimit.perHour(number), RateLimit.parse(rate + "/h"));
            assertEquals(RateLimit.perDay(number), RateLimit.parse(rate + "/d"));
        }
    }

    @Test
    void theNameOfAnAlgorithmIsTheOneInTheText() {
        for (Algorithm algorithm : Algorithm.values()) {
            assertEquals(algorithm, RateLimit.parse("1/s " + algorithm).algorithm());
            assertFalse(algorithm.toString().contains("_"));
        }
    }

    private static void assertReadBack(RateLimit limit) {
        assertEquals(limit, RateLimit.parse(limit.toString()));
    }
}
