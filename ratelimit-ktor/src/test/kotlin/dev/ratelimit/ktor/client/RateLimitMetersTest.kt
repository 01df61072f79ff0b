package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.perSecond
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.ktor.client.engine.mock.respond
import io.ktor.client.request.get
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.headersOf
import io.micrometer.core.instrument.simple.SimpleMeterRegistry
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.minutes

class RateLimitMetersTest :
    FunSpec({
        test("waits, refusals and what was learned are counted by rule, without keys") {
            virtually {
                val registry = SimpleMeterRegistry()
                val client =
                    limited {
                        otherHosts(1.perSecond)
                        maxWait = 1.minutes
                    }
                client.bindRateLimitMeters(registry)
                repeat(3) { client.get("http://a.org/") }
                answer = { respond("", HttpStatusCode.TooManyRequests, headersOf(HttpHeaders.RetryAfter, "3600")) }
                client.get("http://a.org/")
                shouldThrow<RateLimitExceededException> { client.get("http://a.org/") }

                registry.get("ratelimit.client.wait").timer().count() shouldBe 3
                registry.get("ratelimit.client.wait").timer().totalTime(TimeUnit.SECONDS) shouldBeGreaterThan 2.9
                registry.get("ratelimit.client.refused").counter().count() shouldBe 1.0
                registry.get("ratelimit.client.learned").counter().count() shouldBe 1.0
                registry.meters.flatMap { it.id.tags }.map { it.value }.toSet() shouldContainExactlyInAnyOrder setOf("http other hosts")
            }
        }
    })
