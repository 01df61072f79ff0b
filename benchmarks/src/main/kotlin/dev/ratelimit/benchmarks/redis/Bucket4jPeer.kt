package dev.ratelimit.benchmarks.redis

import io.github.bucket4j.BucketConfiguration
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy
import io.github.bucket4j.distributed.proxy.optimization.Optimization
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.codec.RedisCodec
import io.lettuce.core.codec.StringCodec
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/**
 * Bucket4j on Lettuce: reads the bucket, decides here, and compares and swaps by a script. Its proxies are made once and kept, which is
 * the fastest way to use them, and the only one in which an [optimization] has an effect.
 */
internal class Bucket4jPeer(
    field: Field,
    scenario: Scenario,
    prefix: String,
    optimization: Optimization,
) : Contestant<Boolean> {
    private val connection = field.client.connect(RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE))
    private val configuration =
        BucketConfiguration.builder().addLimit { it.capacity(scenario.permits).refillGreedy(scenario.permits, scenario.period) }.build()
    private val manager =
        Bucket4jLettuce
            .casBasedBuilder(connection)
            .expirationAfterWrite(ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(Duration.ofSeconds(1)))
            .build()
            .asAsync()
    private val buckets =
        scenario.names.map { name ->
            manager.builder().withOptimization(optimization).build("$prefix:$name") { CompletableFuture.completedFuture(configuration) }
        }

    override fun ask(key: Int): CompletionStage<Boolean> = buckets[key].tryConsume(1)

    override fun isAllowed(answer: Boolean): Boolean = answer

    override fun close() = connection.close()
}
