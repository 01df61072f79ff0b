package dev.ratelimit.benchmarks.server

import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.server.RateLimiting
import dev.ratelimit.ktor.server.RateLimitingConfig
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.plugins.origin
import io.ktor.server.plugins.ratelimit.RateLimit
import io.ktor.server.plugins.ratelimit.RateLimitName
import io.ktor.server.plugins.ratelimit.rateLimit
import io.ktor.server.response.respondText
import io.ktor.server.routing.Route
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.TearDown
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

/** A call that is let through, by an application without limits, with Ktor's own plugin and one limit, and with ours and three. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
open class ServerCost {
    /** How many clients call, one after another. */
    @Param("1", "100000")
    @JvmField
    var clients: Int = 1

    private val addresses by lazy { List(clients) { "10.${it shr 16 and 255}.${it shr 8 and 255}.${it and 255}" } }
    private var next = 0

    private val plain by lazy { InstantServer { page { it() } } }
    private val ktor by lazy { InstantServer { ktors() } }
    private val ours by lazy { limited { } }
    private val draft by lazy { limited { answers { rateLimitHeaders = false } } }
    private val silent by lazy {
        limited {
            answers {
                rateLimitHeaders = false
                standardHeaders = false
            }
        }
    }
    private val unwatched by lazy { limited { monitoring = false } }
    private val manyRules by lazy {
        limited {
            repeat(RULES) {
                val isFloating = it % FLOATING == 0
                rule(if (isFloating) "*/part$it/*" else "/service$it/{id}/part/*") {
                    perIp(LIMIT)
                    // Several that begin anywhere can be about one path.
                    fallThrough = isFloating
                }
            }
        }
    }

    @Benchmark
    fun withoutPlugin(): Int = plain.get(PATH, address())

    @Benchmark
    fun ktorsPluginOneLimit(): Int = ktor.get(PATH, address())

    @Benchmark
    fun threeLimits(): Int = ours.get(PATH, address())

    /** With the two headers of the IETF's draft, and without the five others. */
    @Benchmark
    fun threeLimitsTwoHeaders(): Int = draft.get(PATH, address())

    @Benchmark
    fun threeLimitsNoHeaders(): Int = silent.get(PATH, address())

    @Benchmark
    fun threeLimitsNoMonitoring(): Int = unwatched.get(PATH, address())

    @Benchmark
    fun threeLimitsAmong500Rules(): Int = manyRules.get(PATH, address())

    @TearDown
    fun close() = listOf(plain, ktor, ours, draft, silent, unwatched, manyRules).forEach { it.close() }

    private fun address(): String {
        next = if (next + 1 == clients) 0 else next + 1
        return addresses[next]
    }

    private fun Application.page(around: Route.(Route.() -> Unit) -> Unit) {
        routing { around { get(PATH) { call.respondText("ok") } } }
    }

    private fun Application.ktors() {
        install(RateLimit) {
            register(RateLimitName("page")) {
                rateLimiter(limit = Int.MAX_VALUE, refillPeriod = 1_000_000.seconds)
                requestKey { it.request.origin.remoteAddress }
            }
        }
        page { build -> rateLimit(RateLimitName("page")) { build() } }
    }

    private fun limited(configure: RateLimitingConfig.() -> Unit) =
        InstantServer {
            install(RateLimiting) {
                store = MemoryStore(maxKeys = MAX_KEYS)
                rule("/api/*") {
                    perIp(LIMIT, LIMIT.withBurst(BURST))
                    global(TOTAL)
                }
                configure()
            }
            page { it() }
        }

    private companion object {
        const val PATH = "/api/orders/17"
        const val RULES = 499

        /** Of so many rules one can begin anywhere in a path. */
        const val FLOATING = 5
        const val MAX_KEYS = 4_000_000
        const val BURST = 2_000_000_000L
        val LIMIT = 1_000_000_000.perSecond
        val TOTAL = 1_500_000_000.perSecond
    }
}
