package dev.ratelimit;

/**
 * A {@link KeyedRateLimiter} whose store is within this process or machine.
 *
 * @param <K> the type of the keys
 */
public interface LocalKeyedRateLimiter<K> extends KeyedRateLimiter<K> {

    @Override
    LocalRateLimiter get(K key);
}
