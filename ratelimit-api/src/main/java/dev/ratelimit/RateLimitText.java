package dev.ratelimit;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The text form of a {@link RateLimit}: {@code permits/period [algorithm] [burst n]}. */
final class RateLimitText {

    private static final String EXAMPLES = "write for example '10/s', '100/1m burst 150' or '5/5m fixed-window'";
    private static final Pattern LIMIT = Pattern.compile(
            "(?<rate>[^/\\s]+)\\s*(?:/\\s*(?<period>\\S+))?(?:\\s+(?<algorithm>[a-z][a-z-]*-[a-z]+))?(?:\\s+burst\\s+(?<burst>\\S+))?");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,400}(\\.\\d{1,400})?([eE][+-]?\\d{1,3})?");
    private static final Pattern PERIOD_PART = Pattern.compile("(?<count>\\d{0,40})(?<unit>[a-zµμ]+)");
    private static final Map<String, Long> UNIT_NANOS = Map.of(
            "ns",
            1L,
            "us",
            1_000L,
            "ms",
            1_000_000L,
            "s",
            1_000_000_000L,
            "m",
            60_000_000_000L,
            "h",
            3_600_000_000_000L,
            "d",
            86_400_000_000_000L);
    private static final Map<String, String> UNIT_NAMES = Map.ofEntries(
            Map.entry("nanos", "ns"),
            Map.entry("nanosecond", "ns"),
            Map.entry("nanoseconds", "ns"),
            Map.entry("µs", "us"),
            Map.entry("μs", "us"),
            Map.entry("microsecond", "us"),
            Map.entry("microseconds", "us"),
            Map.entry("millis", "ms"),
            Map.entry("millisecond", "ms"),
            Map.entry("milliseconds", "ms"),
            Map.entry("sec", "s"),
            Map.entry("second", "s"),
            Map.entry("seconds", "s"),
            Map.entry("min", "m"),
            Map.entry("minute", "m"),
            Map.entry("minutes", "m"),
            Map.entry("hour", "h"),
            Map.entry("hours", "h"),
            Map.entry("day", "d"),
            Map.entry("days", "d"));
    private static final BigInteger NANOS_PER_SECOND = BigInteger.valueOf(1_000_000_000L);

    private RateLimitText() {}

    static RateLimit parse(String text) {
        Matcher match = LIMIT.matcher(text.strip());
        if (!match.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a rate limit; " + EXAMPLES);
        }
        String rate = match.group("rate");
        String period = match.group("period");
        if (period == null) {
            throw new IllegalArgumentException("rate '" + text.strip() + "' has no unit; write '" + rate + "/s'");
        }
        Algorithm algorithm = algorithm(match.group("algorithm"), text);
        BigInteger[] fraction = fraction(rate, text);
        BigInteger nanos = periodNanos(period, text);
        if (algorithm == Algorithm.TOKEN_BUCKET || algorithm == Algorithm.LEAKY_BUCKET) {
            fraction = countable(fraction, nanos);
        }
        try {
            long permits = fraction[0].longValueExact();
            Duration duration = duration(nanos.multiply(fraction[1]));
            String burst = match.group("burst");
            long wholeRate = Math.max(1, fraction[0].divide(fraction[1]).longValueExact());
            RateLimit limit = RateLimit.of(algorithm, permits, duration, permits);
            if (burst != null) {
                return limit.withBurst(burst(burst, text));
            }
            return limit.hasBurst() ? limit.withBurst(wholeRate) : limit;
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("'" + text + "' does not fit into 64 bits; " + EXAMPLES, e);
        }
    }

    private static Algorithm algorithm(@org.jspecify.annotations.Nullable String name, String text) {
        if (name == null) {
            return Algorithm.TOKEN_BUCKET;
        }
        for (Algorithm algorithm : Algorithm.values()) {
            if (algorithm.toString().equals(name)) {
                return algorithm;
            }
        }
        throw new IllegalArgumentException("'" + name + "' in '" + text
                + "' is no algorithm; write token-bucket, leaky-bucket, fixed-window, sliding-window or sliding-log");
    }

    /** A decimal number as numerator and denominator. */
    private static BigInteger[] fraction(String number, String text) {
        if (!NUMBER.matcher(number).matches()) {
            throw new IllegalArgumentException(
                    "'" + number + "' in '" + text + "' is not a number of permits; " + EXAMPLES);
        }
        BigDecimal decimal = new BigDecimal(number).stripTrailingZeros();
        BigInteger denominator = BigInteger.TEN.pow(Math.max(0, decimal.scale()));
        BigInteger numerator = decimal.multiply(new BigDecimal(denominator)).toBigIntegerExact();
        if (numerator.signum() == 0) {
            throw new IllegalArgumentException("rate '" + number + "' in '" + text + "' is not positive; " + EXAMPLES);
        }
        BigInteger divisor = numerator.gcd(denominator);
        return new BigInteger[] {numerator.divide(divisor), denominator.divide(divisor)};
    }

    /** The rate itself where its permits, and the seconds that they take, are numbers of 64 bits; else a simpler one just below. */
    static BigInteger[] countable(BigInteger[] fraction, BigInteger unitNanos) {
        boolean fits = fraction[0].bitLength() < Long.SIZE
                && fraction[1].multiply(unitNanos).divide(NANOS_PER_SECOND).bitLength() < Long.SIZE;
        boolean isTooLarge = fraction[0].divide(fraction[1]).bitLength() >= Long.SIZE;
        return fits || isTooLarge ? fraction : SimplestFraction.closelyBelow(fraction);
    }

    private static BigInteger periodNanos(String period, String text) {
        Matcher part = PERIOD_PART.matcher(period.toLowerCase(Locale.ROOT));
        BigInteger sum = BigInteger.ZERO;
        int end = 0;
        while (part.find() && part.start() == end) {
            String unit = UNIT_NAMES.getOrDefault(part.group("unit"), part.group("unit"));
            Long nanos = UNIT_NANOS.get(unit);
            if (nanos == null) {
                throw new IllegalArgumentException("unit '" + part.group("unit") + "' in '" + text
                        + "' is not known; write ns, us, ms, s, m, h or d, for example '10/s'");
            }
            String count = part.group("count");
            sum = sum.add(BigInteger.valueOf(nanos).multiply(count.isEmpty() ? BigInteger.ONE : new BigInteger(count)));
            end = part.end();
        }
        if (end == 0 || end != period.length()) {
            throw new IllegalArgumentException("period '" + period + "' in '" + text
                    + "' cannot be read; write whole numbers, each with its unit, for example '1500ms' or '1h30m'");
        }
        return sum;
    }

    private static long burst(String burst, String text) {
        try {
            return Long.parseLong(burst);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "burst '" + burst + "' in '" + text + "' is not a whole number up to " + Long.MAX_VALUE + "; "
                            + EXAMPLES,
                    e);
        }
    }

    private static Duration duration(BigInteger nanos) {
        BigInteger[] parts = nanos.divideAndRemainder(NANOS_PER_SECOND);
        return Duration.ofSeconds(parts[0].longValueExact(), parts[1].longValueExact());
    }

    static String format(RateLimit limit) {
        StringBuilder text =
                new StringBuilder().append(limit.permits()).append('/').append(format(limit.period()));
        if (limit.algorithm() != Algorithm.TOKEN_BUCKET) {
            text.append(' ').append(limit.algorithm());
        }
        if (limit.hasBurst() && limit.burst() != limit.permits()) {
            text.append(" burst ").append(limit.burst());
        }
        return text.toString();
    }

    /** The period in its largest unit without a remainder: {@code 90m}, {@code 1500ms}. */
    static String format(Duration period) {
        BigInteger nanos = NANOS_PER_SECOND
                .multiply(BigInteger.valueOf(period.getSeconds()))
                .add(BigInteger.valueOf(period.getNano()));
        for (String unit : new String[] {"d", "h", "m", "s", "ms", "us"}) {
            BigInteger[] count = nanos.divideAndRemainder(BigInteger.valueOf(UNIT_NANOS.getOrDefault(unit, 1L)));
            if (count[1].signum() == 0) {
                return count[0] + unit;
            }
        }
        return nanos + "ns";
    }
}
