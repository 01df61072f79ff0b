package dev.ratelimit.ktor.client

import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.client.rules.Rules
import dev.ratelimit.ktor.client.rules.Target
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.kotest.matchers.types.shouldNotBeSameInstanceAs
import io.ktor.client.HttpClient
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.request.HttpRequestBuilder
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

class HttpRequestRateLimitConfigTest :
    FunSpec({
        fun install(configure: HttpRequestRateLimitConfig.() -> Unit) =
            HttpClient(MockEngine { respondOk() }) { install(HttpRequestRateLimit, configure) }.close()

        fun limiters(configure: HttpRequestRateLimitConfig.() -> Unit) = HttpRequestRateLimitConfig().apply(configure).rules()

        fun Rules.of(host: String): Target? = targets(HttpRequestBuilder().apply { url.host = host }).singleOrNull()

        fun Target.name() = limiter.name()

        fun Target.limits() = rule.limits

        fun refused(configure: HttpRequestRateLimitConfig.() -> Unit): String =
            shouldThrow<IllegalArgumentException> { install(configure) }.message.orEmpty()

        test("what cannot be meant is refused when the client is made, with the value and what to write") {
            refused { } shouldContain "no rule and would limit nothing; write for example otherHosts(1.perSecond)"
            refused { hosts(limit = 1.perSecond) } shouldContain "no host; write for example hosts("
            refused { hosts("", limit = 1.perSecond) } shouldContain "host '' is empty; write"
            refused { hosts(" ", limit = 1.perSecond) } shouldContain "host ' ' is empty; write"
            refused { hosts(".", limit = 1.perSecond) } shouldContain "host '.' is empty; write"
            refused { hosts("a.org", limits = emptyList()) } shouldContain "hosts[a.org] has no limit; write"
            refused { otherHosts() } shouldContain "otherHosts has no limit; write"
            refused {
                otherHosts(1.perSecond)
                otherHosts(9.perHour)
            } shouldContain "[1/1s] already; give all of them in one call"
            refused {
                otherHosts(1.perSecond)
                maxWait = (-1).seconds
            } shouldContain "maxWait -1s is negative; write for example 30.seconds"
        }

        test("a host named twice is refused, however it is spelled") {
            val expected = "host 'www.sec.gov' is named twice"
            refused { hosts("www.sec.gov", "www.sec.gov", limit = 1.perSecond) } shouldContain expected
            refused { hosts("www.sec.gov", "WWW.SEC.GOV.", limit = 1.perSecond) } shouldContain expected
            refused {
                hosts("www.sec.gov", limit = 1.perSecond)
                hosts("Www.Sec.Gov", limit = 2.perSecond)
            } shouldContain expected
        }

        test("what is not one host is refused, with the host to write") {
            refused { hosts("https://www.sec.gov", limit = 1.perSecond) } shouldContain "'https://www.sec.gov' has a '/'"
            refused { hosts("*.sec.gov", limit = 1.perSecond) } shouldContain "'*.sec.gov' has a '*'"
            refused { hosts("a.org, b.org", limit = 1.perSecond) } shouldContain "'a.org, b.org' has a ','"
            refused { hosts("a.org:8080", limit = 1.perSecond) } shouldContain
                "has a port, but a rule is about all ports of a host; write \"a.org\""
            refused { hosts("[::1]:8080", limit = 1.perSecond) } shouldContain "write \"[::1]\""
        }

        test("maxWait may be zero or infinite") {
            install {
                otherHosts(1.perSecond)
                maxWait = Duration.ZERO
                maxWait = Duration.INFINITE
            }
        }

        test("case, a dot at the end and brackets make no difference") {
            val limiters = limiters { hosts("WWW.sec.gov", "::1", "localhost", limit = 1.perSecond) }
            val one = limiters.of("www.sec.gov")
            for (spelling in listOf("www.sec.gov.", "WWW.SEC.GOV", "[::1]", "::1", "localhost", "")) {
                limiters.of(spelling)?.limiter shouldBeSameInstanceAs one?.limiter
            }
            limiters.of("sec.gov") shouldBe null
        }

        test("an international name is compared as it is written") {
            val limiters = limiters { hosts("Bücher.example", limit = 1.perSecond) }
            limiters.of("BÜCHER.example")?.name() shouldBe "http bücher.example"
            limiters.of("xn--bcher-kva.example") shouldBe null
        }

        test("limiters are named after their hosts, and take all limits") {
            val limiters =
                limiters {
                    hosts("www.sec.gov", "data.sec.gov", limit = 10.perSecond)
                    hosts("api.example.org", limits = listOf(10.perSecond, 1000.perHour))
                    otherHosts(1.perSecond, 60.perHour)
                }
            limiters.of("data.sec.gov")?.name() shouldBe "http www.sec.gov, data.sec.gov"
            limiters.of("api.example.org")?.limits() shouldBe listOf(10.perSecond, 1000.perHour)
            limiters.of("elsewhere.org")?.name() shouldBe "http other hosts"
            limiters.of("elsewhere.org")?.limits() shouldBe listOf(1.perSecond, 60.perHour)
            limiters.of("www.sec.gov")?.limiter shouldNotBeSameInstanceAs limiters.of("api.example.org")?.limiter
        }
    })
