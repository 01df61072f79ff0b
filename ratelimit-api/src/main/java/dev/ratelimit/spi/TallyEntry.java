package dev.ratelimit.spi;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/**
 * What one writer adds to a group of a {@link TallyStore}. Values are from 0 to 2⁵³ − 1, as far as every store can count; there a
 * number stays, whatever is added.
 *
 * @param group the group's name
 * @param writer who adds, named unlike all others
 * @param number above those of all earlier entries of this writer in the group, from 1
 * @param sums what is added to numbers, by their names
 * @param maxima what numbers are raised to if they are below, by their names, which are not among the sums
 * @param retention how long from now the group is kept at least, unless a later entry says otherwise
 */
public record TallyEntry(
        String group,
        String writer,
        long number,
        Map<String, Long> sums,
        Map<String, Long> maxima,
        Duration retention) {

    /** The most that is counted. */
    public static final long MOST = (1L << 53) - 1;

    private static final Duration SHORTEST = Duration.ofMillis(1);

    /** Checks the arguments. */
    public TallyEntry {
        Objects.requireNonNull(group, "group");
        Objects.requireNonNull(writer, "writer");
        if (number < 1) {
            throw new IllegalArgumentException("number " + number + " of an entry; the first is 1");
        }
        Objects.requireNonNull(retention, "retention");
        sums = Map.copyOf(sums);
        maxima = Map.copyOf(maxima);
        sums.forEach(TallyEntry::check);
        maxima.forEach(TallyEntry::check);
        for (String name : maxima.keySet()) {
            if (sums.containsKey(name)) {
                throw new IllegalArgumentException("'" + name + "' is among the sums and the maxima; leave one out");
            }
        }
        if (retention.compareTo(SHORTEST) < 0) {
            throw new IllegalArgumentException("retention " + retention + " keeps nothing; at least " + SHORTEST);
        }
    }

    private static void check(String name, long value) {
        if (value < 0 || value > MOST) {
            throw new IllegalArgumentException(value + " for '" + name + "'; values are from 0 to " + MOST);
        }
    }
}
