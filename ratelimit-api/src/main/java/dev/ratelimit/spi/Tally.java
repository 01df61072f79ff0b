package dev.ratelimit.spi;

import java.util.Map;

/**
 * What a group of a {@link TallyStore} holds.
 *
 * @param numbers by their names
 * @param entries by writer, the number of the last entry that was applied
 */
public record Tally(Map<String, Long> numbers, Map<String, Long> entries) {

    /** Copies the arguments. */
    public Tally {
        numbers = Map.copyOf(numbers);
        entries = Map.copyOf(entries);
    }
}
