package dev.ratelimit.benchmarks.client

import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.client.HttpRequestRateLimit
import dev.ratelimit.ktor.client.HttpRequestRateLimitConfig
import io.ktor.client.HttpClient
import io.ktor.client.request.get
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OperationsPerInvocation
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.TearDown
import java.util.concurrent.TimeUnit

/** A request to an engine that answers at once, through clients with and without the plugin, whose permits are always at hand. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
open class PluginCost {
    /** How many hosts are asked, one after another. */
    @Param("1", "10000")
    @JvmField
    var hosts: Int = 1

    private val urls by lazy { List(hosts) { "http://host$it.example/" } }
    private var next = 0

    private val without = client(null)
    private val plugin = client { otherHosts(LIMIT) }
    private val adaptive =
        client {
            otherHosts(LIMIT)
            adaptive = true
            maxInFlight = CALLS
        }
    private val rules =
        client {
            otherHosts(LIMIT)
            limit("all", LIMIT) { "all" }
        }

    @Benchmark
    @OperationsPerInvocation(CALLS)
    fun withoutPlugin(): Int = requests(without)

    @Benchmark
    @OperationsPerInvocation(CALLS)
    fun withPlugin(): Int = requests(plugin)

    @Benchmark
    @OperationsPerInvocation(CALLS)
    fun adaptiveInFlight(): Int = requests(adaptive)

    @Benchmark
    @OperationsPerInvocation(CALLS)
    fun twoRules(): Int = requests(rules)

    @TearDown
    fun close() = listOf(without, plugin, adaptive, rules).forEach { it.close() }

    private fun requests(client: HttpClient): Int =
        runBlocking(Dispatchers.Unconfined) {
            var sum = 0
            repeat(CALLS) {
                next = (next + 1) % hosts
                sum += client.get(urls[next]).status.value
            }
            sum
        }

    private fun client(configure: (HttpRequestRateLimitConfig.() -> Unit)?): HttpClient {
        val engine = InstantEngine()
        return HttpClient(engine) { if (configure != null) install(HttpRequestRateLimit, configure) }
    }

    private companion object {
        const val CALLS = 100
        val LIMIT = 1_000_000_000.perSecond
    }
}
