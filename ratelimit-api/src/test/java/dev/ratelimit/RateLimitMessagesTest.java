package dev.ratelimit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.function.DoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every refusal names the value that was given, and says what to write instead. */
class RateLimitMessagesTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void aRateWithoutUnit() {
        assertEquals("rate '10' has no unit; write '10/s'", refusal(() -> RateLimit.parse("10")));
        assertEquals("rate '0.5' has no unit; write '0.5/s'", refusal(() -> RateLimit.parse(" 0.5 ")));
        assertTeaches(() -> RateLimit.parse("10 burst 20"), "'10 burst 20'", "no unit", "'10/s'");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "ten/s, 'ten', not a number",
                "-5/s, '-5', not a number",
                "NaN/s, 'NaN', not a number",
                "Infinity/s, 'Infinity', not a number",
                "0x10/s, '0x10', not a number",
                "1_000/s, '1_000', not a number",
                ".5/s, '.5', not a number",
                "0/s, '0', not positive",
                "0.0/s, '0.0', not positive",
                "0e9/s, '0e9', not positive",
                "10/parsec, 'parsec', not known",
                "10/1mo, 'mo', not known",
                "10/2weeks, 'weeks', not known",
                "10/5, '5', period",
                "10/1h30, '1h30', period",
                "10/7.5s, '7.5s', period",
                "10/s/s, 's/s', period",
                "10/, '10/', not a rate limit",
                "/s, '/s', not a rate limit",
                "10 per second, '10 per second', not a rate limit",
                "10/s fast, '10/s fast', not a rate limit",
                "10/s burst, '10/s burst', not a rate limit",
                "10/s burst 5 sliding-log, '10/s burst 5 sliding-log', not a rate limit",
                "10/s round-robin, 'round-robin', no algorithm",
                "10/s burst many, 'many', not a whole number",
                "10/s burst 1.5, '1.5', not a whole number",
                "10/s burst 9223372036854775808, '9223372036854775808', not a whole number",
                "9223372036854775808/s, '9223372036854775808/s', 64 bits",
                "1e999/s, '1e999/s', 64 bits",
                "1e-999/s, '1e-999/s', 64 bits",
                "1/106751991167301d, '1/106751991167301d', 64 bits",
            })
    void aTextThatIsNoLimit(String text, String value, String reason) {
        String message = refusal(() -> RateLimit.parse(text));
        assertTrue(message.contains(value), message);
        assertTrue(message.contains(reason), message);
        assertTrue(message.contains("; write "), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\n"})
    void anEmptyText(String text) {
        assertTeaches(() -> RateLimit.parse(text), "'" + text + "' is not a rate limit", "write for example '10/s'");
    }

    @Test
    void numbersInATextThatNoLimitCanHave() {
        assertTeaches(() -> RateLimit.parse("10/0s"), "period", "not positive");
        assertTeaches(() -> RateLimit.parse("10/s burst 0"), "burst 0 is not positive");
        assertTeaches(() -> RateLimit.parse("10/s burst -3"), "burst -3 is not positive");
        assertTeaches(
                () -> RateLimit.parse("5/1m fixed-window burst 9"), "burst 9", "fixed-window", "leave the burst out");
        assertTeaches(() -> RateLimit.parse("1e8/d sliding-log"), "permits 100000000", "at most 10000000");
    }

    @Test
    void aRateThatIsNoPositiveNumber() {
        for (double rate :
                new double[] {0, -0.0, -1, -1e-300, Double.NaN, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY}) {
            assertTeaches(() -> RateLimit.perSecond(rate), "rate " + rate, "not a positive number", "perSecond(10)");
            assertTeaches(() -> RateLimit.perMinute(rate), "rate " + rate, "not a positive number", "perMinute(10)");
            assertTeaches(() -> RateLimit.perHour(rate), "rate " + rate, "not a positive number", "perHour(10)");
            assertTeaches(() -> RateLimit.perDay(rate), "rate " + rate, "not a positive number", "perDay(10)");
        }
    }

    @Test
    void aRateThatSixtyFourBitsCannotCount() {
        List<DoubleFunction<RateLimit>> factories =
                List.of(RateLimit::perSecond, RateLimit::perMinute, RateLimit::perHour, RateLimit::perDay);
        for (DoubleFunction<RateLimit> factory : factories) {
            for (double large : new double[] {0x1p63, 1e19, Double.MAX_VALUE}) {
                assertTeaches(() -> factory.apply(large), "rate " + large, "too large", "write 9e18 or less");
            }
            for (double small : new double[] {1e-20, Double.MIN_NORMAL, Double.MIN_VALUE}) {
                assertTeaches(() -> factory.apply(small), "rate " + small, "too small", "write 1e-10 or more");
            }
            assertEquals(9_000_000_000_000_000_000L, factory.apply(9e18).permits());
            assertEquals(1, factory.apply(1e-10).permits());
        }
    }

    @Test
    void permitsThatAreNotPositive() {
        for (long permits : new long[] {0, -1, Long.MIN_VALUE}) {
            String value = "permits " + permits + " is not positive";
            assertTeaches(() -> RateLimit.tokenBucket(permits, SECOND), value, "1 or more");
            assertTeaches(() -> RateLimit.leakyBucket(permits, SECOND, 5), value, "1 or more");
            assertTeaches(() -> RateLimit.fixedWindow(permits, SECOND), value, "1 or more");
            assertTeaches(() -> RateLimit.slidingWindow(permits, SECOND), value, "1 or more");
            assertTeaches(() -> RateLimit.slidingLog(permits, SECOND), value, "1 or more");
            assertTeaches(() -> RateLimit.perSecond(1).checkPermits(permits), value, "1 or more");
        }
    }

    @Test
    void aPeriodThatIsNotPositive() {
        for (Duration period : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            String value = "period " + period + " is not positive";
            assertTeaches(() -> RateLimit.tokenBucket(1, period), value, "1 ns or more");
            assertTeaches(() -> RateLimit.leakyBucket(1, period, 5), value, "1 ns or more");
            assertTeaches(() -> RateLimit.fixedWindow(1, period), value, "1 ns or more");
            assertTeaches(() -> RateLimit.slidingWindow(1, period), value, "1 ns or more");
            assertTeaches(() -> RateLimit.slidingLog(1, period), value, "1 ns or more");
            assertTeaches(() -> RateLimit.every(period), value, "1 ns or more");
        }
    }

    @Test
    void aBurstThatIsNotPositive() {
        for (long burst : new long[] {0, -1, Long.MIN_VALUE}) {
            assertTeaches(() -> RateLimit.perSecond(10).withBurst(burst), "burst " + burst + " is not positive");
            assertTeaches(() -> RateLimit.leakyBucket(10, SECOND, burst), burst + " is not positive");
        }
    }

    @Test
    void aBurstOnAWindow() {
        for (RateLimit window : List.of(
                RateLimit.fixedWindow(5, SECOND),
                RateLimit.slidingWindow(5, SECOND),
                RateLimit.slidingLog(5, SECOND))) {
            for (long burst : new long[] {6, 4, 0, -1}) {
                assertTeaches(
                        () -> window.withBurst(burst),
                        "burst " + burst + " does not fit a " + window.algorithm(),
                        "leave the burst out, or use RateLimit.tokenBucket");
            }
        }
    }

    @Test
    void aLogOfMorePermitsThanItCanRemember() {
        assertTeaches(
                () -> RateLimit.slidingLog(10_000_001, SECOND),
                "permits 10000001",
                "at most 10000000",
                "RateLimit.slidingWindow");
    }

    @Test
    void morePermitsThanCanEverBeGranted() {
        assertTeaches(
                () -> RateLimit.perSecond(10).checkPermits(11),
                "permits 11 can never be granted by 10/1s",
                "ask for at most 10",
                "withBurst(11)");
        String window = refusal(() -> RateLimit.fixedWindow(5, SECOND).checkPermits(6));
        assertEquals("permits 6 can never be granted by 5/1s fixed-window; ask for at most 5", window);
    }

    @Test
    void nullIsRefusedByName() {
        assertNames("text", () -> RateLimit.parse(null));
        assertNames("period", () -> RateLimit.tokenBucket(1, null));
        assertNames("period", () -> RateLimit.leakyBucket(1, null, 1));
        assertNames("period", () -> RateLimit.fixedWindow(1, null));
        assertNames("period", () -> RateLimit.slidingWindow(1, null));
        assertNames("period", () -> RateLimit.slidingLog(1, null));
        assertNames("period", () -> RateLimit.every(null));
    }

    private static void assertNames(String parameter, Executable call) {
        assertEquals(parameter, assertThrows(NullPointerException.class, call).getMessage());
    }

    private static void assertTeaches(Executable call, String... fragments) {
        String message = refusal(call);
        for (String fragment : fragments) {
            assertTrue(message.contains(fragment), () -> "'" + message + "' does not say '" + fragment + "'");
        }
    }

    private static String refusal(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }
}
