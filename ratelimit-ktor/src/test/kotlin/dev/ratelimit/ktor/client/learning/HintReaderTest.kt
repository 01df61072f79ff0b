package dev.ratelimit.ktor.client.learning

import io.kotest.core.spec.style.FunSpec
import io.kotest.datatest.withData
import io.kotest.matchers.shouldBe
import io.ktor.http.Headers
import io.ktor.http.HttpStatusCode
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** The tables of headers that servers really send; what they mean in time. */
class HintReaderTest :
    FunSpec({
        val now = Instant.parse("2026-11-21T12:00:00Z")
        val date = "Date" to "Sat, 21 Nov 2026 12:00:00 GMT"
        val ok = HttpStatusCode.OK
        val tooMany = HttpStatusCode.TooManyRequests

        fun read(status: HttpStatusCode, vararg headers: Pair<String, String>): Duration? =
            HintReader { now }.read(status, Headers.build { headers.forEach { (name, value) -> append(name, value) } })?.pause

        context("retryAfterIsReadInItsFormsAndNoOther (Ktor HttpRequestRetry, go-retryablehttp#297, urllib3#3743)") {
            withData(
                nameFn = { "'${it.first}' is ${it.second}" },
                "5" to 5.seconds,
                " 120 " to 120.seconds,
                "0" to null,
                "-1" to null,
                "1.5" to null,
                "100000000000000000000" to Duration.INFINITE,
                "soon" to null,
                "" to null,
                "٥" to null,
                "Sat, 21 Nov 2026 12:00:30 GMT" to 30.seconds,
                "Saturday, 21-Nov-26 12:00:30 GMT" to 30.seconds,
                "Sat Nov 21 12:00:30 2026" to 30.seconds,
                "Sat, 21 Nov 2026 11:59:59 GMT" to null,
                "Sunday, 06-Nov-94 08:49:37 GMT" to null,
                "Sat, 21 Nov 2026 25:00:30 GMT" to null,
                "Sat, 32 Nov 2026 12:00:30 GMT" to null,
                "Thu, 01 Jan 1970 00:00:00 GMT" to null,
            ) { (value, pause) -> read(tooMany, "Retry-After" to value) shouldBe pause }
        }

        test("a date in the year 9999 is a long time, and no error") {
            (checkNotNull(read(tooMany, "Retry-After" to "Fri, 31 Dec 9999 23:59:59 GMT")) > 1_000_000.hours) shouldBe true
        }

        test("a date is counted from the server's own, whatever the clock here says") {
            val headers = arrayOf("Retry-After" to "Fri, 20 Nov 2026 08:00:10 GMT", "Date" to "Fri, 20 Nov 2026 08:00:00 GMT")
            read(tooMany, *headers) shouldBe 10.seconds
            read(tooMany, "Retry-After" to "Sat, 21 Nov 2026 12:00:10 GMT", "Date" to "nonsense") shouldBe 10.seconds
        }

        test("Retry-After counts where a request was refused, not where it was answered or sent elsewhere") {
            read(HttpStatusCode.ServiceUnavailable, "Retry-After" to "5") shouldBe 5.seconds
            read(HttpStatusCode.Forbidden, "Retry-After" to "5") shouldBe 5.seconds
            read(ok, "Retry-After" to "5") shouldBe null
            read(HttpStatusCode.Found, "Retry-After" to "5") shouldBe null
            read(HttpStatusCode.InternalServerError, "Retry-After" to "5") shouldBe null
        }

        context("RateLimit of draft 11, with its policies") {
            withData(
                nameFn = { "${it.first}" },
                listOf("RateLimit" to "\"default\";r=0;t=30") to 30.seconds,
                listOf("RateLimit" to "\"default\";r=50;t=30", "RateLimit-Policy" to "\"default\";q=100;w=60") to null,
                listOf("RateLimit" to "\"default\";r=5;t=30", "RateLimit-Policy" to "\"default\";q=100;w=60") to 6.seconds,
                listOf("RateLimit" to "\"a\";r=0;t=3, \"b\";r=0;t=50") to 50.seconds,
                listOf("RateLimit" to "\"a\";r=0", "RateLimit-Policy" to "\"a\";q=10;w=60") to 60.seconds,
                listOf("RateLimit" to "\"a\";r=0;pk=:AAEC:;t=7") to 7.seconds,
                listOf("RateLimit" to "\"a\";r=0") to null,
                listOf("RateLimit" to "\"a\";r=-1;t=5") to null,
                listOf("RateLimit" to "\"a\";r=0;t=-5") to null,
                listOf("RateLimit" to "\"a;r=0;t=5") to null,
                listOf("RateLimit" to "\"a\";r=0.5;t=5") to null,
                listOf("RateLimit" to "") to null,
            ) { (headers, pause) -> read(ok, *headers.toTypedArray()) shouldBe pause }
        }

        context("the earlier spellings of RateLimit, and those with X") {
            withData(
                nameFn = { "${it.first}" },
                listOf("RateLimit" to "limit=100, remaining=0, reset=20") to 20.seconds,
                listOf("RateLimit" to "limit=100, remaining=60, reset=20") to null,
                listOf("RateLimit-Limit" to "100, 100;w=60", "RateLimit-Remaining" to "0", "RateLimit-Reset" to "20") to 20.seconds,
                listOf("RateLimit-Limit" to "100", "RateLimit-Remaining" to "4", "RateLimit-Reset" to "20") to 5.seconds,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "20") to 20.seconds,
                listOf("x-rate-limit-remaining" to "0", "x-rate-limit-reset" to "1795262410") to 10.seconds,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "1795262410") to 10.seconds,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "1795262410000") to 10.seconds,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "1795262410.5") to 10.5.seconds,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "Sat, 21 Nov 2026 12:01:00 GMT") to 1.minutes,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "2026-11-21T12:01:00Z") to 1.minutes,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "600000") to 10.minutes,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset-After" to "1.25") to 1.25.seconds,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset-Ms" to "1500") to 1.5.seconds,
                listOf("x-ratelimit-remaining-requests" to "0", "x-ratelimit-reset-requests" to "6m0s") to 6.minutes,
                listOf("x-ratelimit-remaining-tokens" to "0", "x-ratelimit-reset-tokens" to "250ms") to 0.25.seconds,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "1795262390") to null,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "-5") to null,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "NaN") to null,
                listOf("X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "Infinity") to null,
                listOf("X-RateLimit-Remaining" to "0") to null,
                listOf("X-RateLimit-Remaining" to "none", "X-RateLimit-Reset" to "20") to null,
                listOf("X-RateLimit-Reset" to "20") to null,
                listOf("X-RateLimit-Remaining" to "99999999999999999999", "X-RateLimit-Reset" to "20") to null,
            ) { (headers, pause) -> read(ok, date, *headers.toTypedArray()) shouldBe pause }
        }

        test("what is scarce is spread over the time until the reset; without a limit, fewer than ten are scarce") {
            read(ok, date, "X-RateLimit-Limit" to "5000", "X-RateLimit-Remaining" to "499", "X-RateLimit-Reset" to "499") shouldBe 1.seconds
            read(ok, date, "X-RateLimit-Limit" to "5000", "X-RateLimit-Remaining" to "500", "X-RateLimit-Reset" to "500") shouldBe null
            read(ok, date, "X-RateLimit-Remaining" to "9", "X-RateLimit-Reset" to "18") shouldBe 2.seconds
            read(ok, date, "X-RateLimit-Remaining" to "10", "X-RateLimit-Reset" to "18") shouldBe null
        }

        test("of a refusal's hints Retry-After comes first, then the quotas that are used up") {
            val quota = arrayOf(date, "X-RateLimit-Remaining" to "0", "X-RateLimit-Reset" to "3600")
            read(tooMany, "Retry-After" to "5", *quota) shouldBe 5.seconds
            read(tooMany, "Retry-After" to "nonsense", *quota) shouldBe 1.hours
            read(tooMany, *quota) shouldBe 1.hours
            read(tooMany, date, "X-RateLimit-Remaining" to "5", "X-RateLimit-Reset" to "3600") shouldBe null
            read(tooMany) shouldBe null
        }

        test("GitHub's limits: the primary one by its reset, the secondary one by Retry-After, else for a minute") {
            val gitHub = arrayOf(date, "X-GitHub-Request-Id" to "1", "X-RateLimit-Limit" to "5000", "X-RateLimit-Reset" to "1795262430")
            read(HttpStatusCode.Forbidden, *gitHub, "X-RateLimit-Remaining" to "0") shouldBe 30.seconds
            read(tooMany, *gitHub, "X-RateLimit-Remaining" to "0") shouldBe 30.seconds
            read(HttpStatusCode.Forbidden, *gitHub, "X-RateLimit-Remaining" to "4000", "Retry-After" to "60") shouldBe 1.minutes
            read(tooMany, *gitHub, "X-RateLimit-Remaining" to "4000") shouldBe 1.minutes
            read(HttpStatusCode.Forbidden, *gitHub, "X-RateLimit-Remaining" to "4000") shouldBe null
            read(HttpStatusCode.Forbidden) shouldBe null
        }
    })
