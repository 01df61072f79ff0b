package dev.ratelimit.ktor.server

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.server.answers.secondsUp
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.RateLimitStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.string.shouldStartWith
import io.ktor.http.HttpStatusCode
import io.ktor.server.response.header
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

class AnswersTest :
    FunSpec({
        test("a millisecond to wait is a second in the answer (KTOR-9285, dotnet#92557)") {
            limited({ rule("/*") { perIp(RateLimit.fixedWindow(1, 1.milliseconds)) } }) {
                get().status shouldBe 200
                val refused = get()
                refused.status shouldBe 429
                refused["Retry-After"] shouldBe "1"
                refused["RateLimit"] shouldBe "\"ip\";r=0;t=1"
            }
        }

        test("seconds to wait are rounded up, and never 0 (KTOR-9285, dotnet#92557)") {
            listOf(0.seconds, 1.nanoseconds, 1.milliseconds, 999.milliseconds, 1.seconds, 1_001.milliseconds, 2.hours)
                .map(::secondsUp) shouldBe listOf(1, 1, 1, 1, 1, 2, 7_200)
        }

        test("what is allowed tells what is left") {
            limited({ rule("/*") { perIp(RateLimit.fixedWindow(10, 1.minutes)) } }) {
                val answer = get()
                answer.status shouldBe 200
                listOf("Limit", "Remaining", "Reset", "Scope", "Algorithm").map { answer["X-RateLimit-$it"] } shouldBe
                    listOf("10", "9", "60", "ip", "fixed-window")
                answer["RateLimit-Policy"] shouldBe "\"ip\";q=10;w=60"
                answer["RateLimit"] shouldBe "\"ip\";r=9;t=60"
                answer["Retry-After"] shouldBe null
            }
        }

        test("what is refused tells when to come back, and which policy refused") {
            limited({
                rule("/*") {
                    perIp(1.perMinute, 100.perHour)
                    global(50.perHour)
                }
            }) {
                get()
                later(1.seconds)
                val answer = get()
                answer.status shouldBe 429
                answer["Retry-After"] shouldBe "59"
                answer["Content-Type"]!! shouldStartWith "application/problem+json"
                answer["RateLimit-Policy"] shouldBe "\"ip\";q=1;w=60, \"ip-2\";q=100;w=3600, \"global\";q=50;w=3600"
                answer["RateLimit"] shouldBe "\"ip\";r=0;t=59"
                answer.body shouldContain "\"violated-policies\":[\"ip\"]"
                answer.body shouldContain "http-problem-types#quota-exceeded"
                answer.body shouldContain "\"status\":429"
                answer.body shouldContain "\"retryAfter\":59"
                answer["Cache-Control"] shouldBe "no-store"
            }
        }

        test("of two limits with the same numbers the one is named that refused") {
            limited({
                rule("/*") {
                    perIp(1.perHour)
                    perApiKey(1.perHour)
                }
            }) {
                get("/", "X-API-Key" to "a")
                application.rateLimiting.reset("/*", "ip", "127.0.0.1")
                get("/", "X-API-Key" to "a")["X-RateLimit-Scope"] shouldBe "api-key"
                application.rateLimiting.reset("/*", "api-key", "a")
                get("/", "X-API-Key" to "b").status shouldBe 200
                get("/", "X-API-Key" to "c")["X-RateLimit-Scope"] shouldBe "ip"
            }
        }

        test("all limits that refuse are named, the one with the longest wait first; of a store elsewhere that one") {
            val limits: RateLimitingConfig.() -> Unit = {
                rule("/*") {
                    perIp(2.perMinute, 2.perHour)
                    global(100.perHour)
                }
            }
            limited(limits) { List(3) { get() }.last().body shouldContain "\"violated-policies\":[\"ip-2\",\"ip\"]" }
            limited({
                store = Elsewhere(MemoryStore(NanoClock { 0 }))
                limits()
            }) { List(3) { get() }.last().body shouldContain "\"violated-policies\":[\"ip-2\"]" }
            // It has permits left: what refuses is that the turn would come too late.
            limited({
                maxWait = Duration.ZERO
                rule("/*") {
                    global(100.perHour)
                    per("queue", RateLimit.leakyBucket(1, 1.hours, 9)) { "all" }
                }
            }) { List(2) { get() }.last().body shouldContain "\"violated-policies\":[\"queue\"]" }
            limited({
                maxWait = Duration.ZERO
                rule("/*") {
                    per("tenant", RateLimit.leakyBucket(1, 1.hours, 9)) { it.request.headers["Tenant"] }
                    global(RateLimit.leakyBucket(1, 1.hours, 9))
                }
            }) {
                get("/", "Tenant" to "a").status shouldBe 200
                get("/", "Tenant" to "b").body shouldContain "\"violated-policies\":[\"global\"]"
            }
            limited({
                rule("/*") {
                    perIp(2.perMinute, 3.perHour)
                    weight { 3 }
                    global(2.perHour)
                }
            }) { get().body shouldContain "\"violated-policies\":[\"ip\",\"global\"]" }
        }

        test("each family of headers has a switch; what a handler says stays") {
            limited(
                {
                    rule("/*") { perIp(1.perHour) }
                    answers {
                        rateLimitHeaders = false
                        retryAfter = false
                    }
                },
                {
                    routing {
                        get("/") {
                            call.response.header("RateLimit", "mine")
                            call.respondText("ok")
                        }
                    }
                },
            ) {
                val allowed = get()
                allowed["X-RateLimit-Limit"] shouldBe null
                allowed.all("RateLimit") shouldBe listOf("mine")
                get()["Retry-After"] shouldBe null
            }
            limited({
                rule("/*") { perIp(1.perHour) }
                answers {
                    standardHeaders = false
                    resetAsEpoch = true
                }
            }) {
                val answer = get()
                answer["RateLimit"] shouldBe null
                (answer["X-RateLimit-Reset"]!!.toLong() > 1_700_000_000) shouldBe true
            }
        }

        test("whoever prefers text gets text; a handler of one's own answers instead, under the same headers") {
            limited({ rule("/*") { perIp(1.perHour) } }) {
                get()
                get("/", "Accept" to "text/html,*/*;q=0.8").body shouldContain "Try again in 3600 s."
                get("/", "Accept" to "application/json").body shouldStartWith "{"
                get("/", "Accept" to "image/png").body shouldStartWith "{"
            }
            limited({
                rule("/*") { perIp(1.perHour) }
                answers { onRefused { call, refusal -> call.respondText("no: ${refusal.scope}", status = HttpStatusCode.fromValue(420)) } }
            }) {
                get()
                val answer = get()
                answer.status shouldBe 420
                answer.body shouldBe "no: ip"
                answer["Retry-After"] shouldBe "3600"
            }
        }

        test("an outage is no limit: calls pass, or get 503") {
            val failing = FailingStore()
            limited({
                store = failing
                rule("/*") { perIp(1.perSecond) }
            }) {
                application.rateLimiting.isStoreUp shouldBe true
                List(2) { get().status } shouldBe listOf(200, 200)
                application.rateLimiting.isStoreUp shouldBe false
                application.rateLimiting.health().isUp shouldBe false
            }
            limited({
                store = failing
                failOpen = false
                rule("/*") { perIp(1.perSecond) }
            }) {
                val answer = get()
                answer.status shouldBe 503
                answer["X-RateLimit-Limit"] shouldBe null
                answer.body shouldNotContain "violated"
            }
            limited({
                store = Closed(MemoryStore())
                rule("/*") { perIp(1.perSecond) }
            }) {
                get().status shouldBe 503
                application.rateLimiting.isStoreUp shouldBe false
            }
        }

        test("two rules with limits of one name: the body names the one that the headers name") {
            limited({
                everywhere { perIp(100.perHour) }
                rule("/*") { perIp(1.perHour) }
            }) {
                get()
                val refused = get()
                refused["RateLimit-Policy"] shouldBe "\"ip\";q=100;w=3600, \"ip.2\";q=1;w=3600"
                refused["RateLimit"] shouldBe "\"ip.2\";r=0;t=3600"
                refused.body shouldContain "\"violated-policies\":[\"ip.2\"]"
            }
        }

        test("near one of several limits, though another has fewer permits left; also without the other headers") {
            limited({
                warnAt = 0.9
                rule("/*") { perIp(2.perMinute, RateLimit.fixedWindow(30, 1.hours)) }
                answers {
                    rateLimitHeaders = false
                    standardHeaders = false
                }
            }) {
                // The limit by the minute refills: one of its two is left after each call. At the end two of the thirty of the hour are.
                val warnings = List(28) { get()["X-RateLimit-Warning"].also { later(30.seconds) } }
                warnings.map { it != null } shouldBe List(26) { false } + List(2) { true }
            }
        }

        test("of two limits of the same numbers, answers tell of the one with fewer permits left") {
            limited({
                warnAt = 0.7
                rule("/*") {
                    per("tenant", 5.perHour) { it.request.headers["Tenant"] }
                    global(5.perHour)
                }
            }) {
                val near = mutableListOf<String>()
                application.monitor.subscribe(RateLimitingEvents.NearLimit) { near += it.scope }
                val answers = List(4) { get("/", "Tenant" to "number $it") }
                answers.map { it["X-RateLimit-Remaining"] } shouldContainExactly listOf("4", "3", "2", "1")
                answers.drop(1).map { it["X-RateLimit-Scope"] }.distinct() shouldContainExactly listOf("global")
                answers.last()["RateLimit"]!!.substringBefore(";t") shouldBe "\"global\";r=1"
                near shouldContainExactly listOf("global")
            }
        }

        test("near a limit: a header, and an event") {
            limited({
                store = MemoryStore(NanoClock { 0 })
                warnAt = 0.8
                rule("/*") { perIp(10.perHour) }
            }) {
                var near = 0
                application.monitor.subscribe(RateLimitingEvents.NearLimit) { near++ }
                List(10) { get()["X-RateLimit-Warning"] != null } shouldBe List(7) { false } + List(3) { true }
                near shouldBe 3
            }
        }
    })

/** A store that is not known to be of this process. */
private class Elsewhere(
    memory: MemoryStore,
) : RateLimitStore by memory

/** A store that is away, and refuses meanwhile. */
private class Closed(
    memory: MemoryStore,
) : RateLimitStore by memory {
    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ): CompletionStage<RateLimitResult> =
        CompletableFuture.completedFuture(RateLimitResult.denied(charges[0].limit, 0, 1, 1).refused(Refusal.UNAVAILABLE, 1))
}

/** A store that is away. */
private class FailingStore : RateLimitStore {
    private fun <T> failure(): CompletionStage<T> = CompletableFuture.failedFuture(RateLimitStoreException("away", null))

    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ): CompletionStage<RateLimitResult> = failure()

    override fun peekAsync(
        charges: List<Charge>,
        ahead: Long,
    ): CompletionStage<RateLimitResult> = failure()

    override fun adjustAsync(adjustments: List<Adjustment>): CompletionStage<Void?> = failure()

    override fun resetAsync(keys: List<BucketKey>): CompletionStage<Void?> = failure()
}
