package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.RateLimiter
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.HttpClient
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import java.time.Duration

class BandwidthConfigTest :
    FunSpec({
        fun install(configure: HttpRequestRateLimitConfig.() -> Unit) =
            HttpClient(MockEngine { respondOk("text") }) { install(HttpRequestRateLimit, configure) }

        fun refused(configure: HttpRequestRateLimitConfig.() -> Unit): String =
            shouldThrow<IllegalArgumentException> { install(configure) }.message.orEmpty()

        test("bandwidth needs no rule about requests beside it") {
            install { bandwidth(2.mebibytesPerSecond) }.use { it.get("http://a.org/").bodyAsText() shouldBe "text" }
            install { bandwidth { upload { perCall(1.kibibytesPerSecond) } } }.close()
        }

        test("what cannot be meant is refused when the client is made, with the value and what to write") {
            refused { bandwidth { } } shouldContain "bandwidth has no limit and would limit nothing; write for example"
            refused { bandwidth { download { } } } shouldContain "bandwidth has no limit"
            refused { bandwidth() } shouldContain "download { total } has no limit; write for example total(2.mebibytesPerSecond)"
            refused { bandwidth { upload { perHost() } } } shouldContain "upload { perHost } has no limit"
            refused { bandwidth { upload { perCall() } } } shouldContain "upload { perCall } has no limit"
            refused {
                bandwidth(1.mebibytesPerSecond)
                bandwidth(2.mebibytesPerSecond)
            } shouldContain "bandwidth is given twice; give all of its limits in one call"
            refused {
                bandwidth {
                    download { perHost(1.mebibytesPerSecond) }
                    download { perHost(2.mebibytesPerSecond) }
                }
            } shouldContain "download { perHost } is given twice; give all limits of perHost in one call, or one limiter"
        }

        test("leaky buckets are refused, as limits and in a limiter") {
            val leaky = RateLimit.leakyBucket(1000, Duration.ofSeconds(1), 100)
            val expected = "has the limit '1000/1s leaky-bucket burst 100', which refuses instead of waiting when it is full"
            refused { bandwidth(leaky) } shouldContain expected
            refused { bandwidth(RateLimiter("leaky", leaky)) } shouldContain expected
        }
    })
