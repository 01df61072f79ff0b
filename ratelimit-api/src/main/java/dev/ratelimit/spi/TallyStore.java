package dev.ratelimit.spi;

import dev.ratelimit.RateLimitStoreException;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A store that also counts for all processes that share it: named numbers in named groups. A group is forgotten some time after the last
 * entry. For figures about what was decided, never for a decision.
 *
 * <p>Thread-safe. While the store is away a stage fails with {@link RateLimitStoreException} within the time that a decision has, and
 * nothing is kept to be done later: the entry is the caller's.
 */
public interface TallyStore {

    /**
     * Applies an entry, all of it or nothing, and once: an entry whose {@linkplain TallyEntry#number() number} is not above the
     * last one of its writer in the same group was applied before, and changes nothing. So whoever was not told that an entry
     * has arrived sends that same entry again, before any later one of its group.
     */
    CompletionStage<@Nullable Void> tallyAsync(TallyEntry entry);

    /** What these groups hold, in their order; nothing is in a group that is not there. Changes nothing. */
    CompletionStage<List<Tally>> talliesAsync(List<String> groups);
}
