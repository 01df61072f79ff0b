package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.engine.mock.respond
import io.ktor.client.engine.mock.respondError
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.plugins.ClientRequestException
import io.ktor.client.request.get
import io.ktor.http.HttpStatusCode
import io.ktor.http.encodedPath
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import java.io.IOException
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PolitenessTest :
    FunSpec({
        val paths = mutableListOf<String>()

        /** Each host has this robots.txt. */
        fun VirtualClient.site(robots: String, status: HttpStatusCode = HttpStatusCode.OK) {
            paths.clear()
            answer = {
                paths += it.url.encodedPath
                if (it.url.encodedPath == "/robots.txt") respond(robots, status) else respondOk("page")
            }
        }

        fun VirtualClient.crawler(name: String = "MyBot/1.0 (+https://example.org)") =
            limited {
                otherHosts(100.perSecond)
                robots(name)
            }

        test("what robots.txt disallows is not requested, and it is asked for once a day") {
            virtually {
                val client = crawler()
                site("User-agent: mybot\nDisallow: /private\n\nUser-agent: *\nDisallow: /")
                client.get("http://a.org/page")
                shouldThrow<RequestDisallowedException> { client.get("http://a.org/private/x") }.message shouldContain
                    "the robots.txt of a.org disallows it to 'MyBot/1.0 (+https://example.org)'"
                paths shouldContainExactly listOf("/robots.txt", "/page")
                delay(24 * 3_600_000L)
                client.get("http://a.org/page")
                paths shouldContainExactly listOf("/robots.txt", "/page", "/robots.txt", "/page")
            }
        }

        test("each host has its own, each port too") {
            virtually {
                val client = crawler()
                site("")
                listOf("http://a.org/", "http://a.org:8080/", "https://a.org/", "http://b.org/", "http://a.org/").forEach { client.get(it) }
                paths.count { it == "/robots.txt" } shouldBe 4
            }
        }

        test("many at once ask for it once; who leaves does not take it away from the others") {
            virtually { scope ->
                val client = crawler()
                site("User-agent: *\nAllow: /")
                val first = scope.launch { client.get("http://a.org/1") }
                scope.runCurrent()
                first.cancelAndJoin()
                List(5) { scope.launch { client.get("http://a.org/$it") } }.joinAll()
                paths.count { it == "/robots.txt" } shouldBe 1
            }
        }

        test("requests are as far apart as Crawl-delay says") {
            virtually {
                val client = crawler()
                site("User-agent: *\nCrawl-delay: 2.5\nDisallow:")
                repeat(3) { client.get("http://a.org/$it") }
                client.get("http://b.org/")
                val pages = seen.zip(paths).filter { it.second != "/robots.txt" }.map { it.first }
                pages shouldContainExactly listOf(Seen(0, "a.org"), Seen(2500, "a.org"), Seen(5000, "a.org"), Seen(5000, "b.org"))
            }
        }

        test("Crawl-delay is about requests, whatever they weigh; who leaves while it waits has its permits back") {
            virtually { scope ->
                val client =
                    limited {
                        otherHosts(10.perHour)
                        robots("MyBot")
                        weight { if (it.url.encodedPath == "/robots.txt") 1 else 3 }
                    }
                site("User-agent: *\nCrawl-delay: 2\nDisallow:")
                client.get("http://a.org/1")
                val gone = scope.launch { client.get("http://a.org/2") }
                delay(500)
                gone.cancelAndJoin()
                repeat(2) { client.get("http://a.org/$it") }
                seen.map { it.at } shouldContainExactly listOf(0L, 0L, 2000L, 4000L)
            }
        }

        test("no file allows all; a server that fails allows nothing, and is asked again when it may answer") {
            virtually {
                val client = crawler()
                site("not here", HttpStatusCode.NotFound)
                client.get("http://a.org/").status shouldBe HttpStatusCode.OK
                site("broken", HttpStatusCode.InternalServerError)
                shouldThrow<RequestDisallowedException> { client.get("http://b.org/") }.message shouldContain "the server of b.org fails"
                answer = { throw IOException("no route") }
                shouldThrow<IOException> { client.get("http://c.org/") }
                site("")
                client.get("http://c.org/").status shouldBe HttpStatusCode.OK
            }
        }

        test("expectSuccess is about pages, not about robots.txt") {
            virtually {
                val client =
                    client {
                        expectSuccess = true
                        limit {
                            otherHosts(100.perSecond)
                            robots("MyBot")
                        }
                    }
                answer = { respondError(HttpStatusCode.NotFound) }
                shouldThrow<ClientRequestException> { client.get("http://a.org/page") }.response.status shouldBe HttpStatusCode.NotFound
                seen shouldHaveSize 2
            }
        }

        test("jitter sets requests further apart, never closer") {
            virtually { scope ->
                val client =
                    limited {
                        otherHosts(1.perSecond.withBurst(1))
                        jitter = 500.milliseconds
                        random = Random(1)
                    }
                List(20) { scope.launch { client.get("http://a.org/") } }.joinAll()
                val gaps = seen.zipWithNext { a, b -> b.at - a.at }
                gaps.forEach { it shouldBeInRange 1_000L..1_501L }
                (gaps.toSet().size > 10) shouldBe true
            }
        }

        test("jitter does not make a request wait longer than it may") {
            virtually { scope ->
                val client =
                    limited {
                        otherHosts(1.perSecond.withBurst(1))
                        jitter = 60.seconds
                        maxWait = 500.milliseconds
                        random = Random(2)
                    }
                client.get("http://a.org/")
                shouldThrow<RateLimitExceededException> { client.get("http://a.org/") }
                (scope.currentTime <= 500) shouldBe true
            }
        }

        test("polite: one at a time, one a second at most, and robots.txt") {
            virtually { scope ->
                val client =
                    limited {
                        polite("MyBot")
                        random = Random(3)
                    }
                site("User-agent: *\nDisallow: /private")
                List(4) { scope.launch { client.get("http://a.org/$it") } }.joinAll()
                seen shouldHaveSize 5
                seen.zipWithNext { a, b -> b.at - a.at }.forEach { it shouldBeInRange 1_000L..1_502L }
                shouldThrow<RequestDisallowedException> { client.get("http://a.org/private") }
            }
        }

        test("what cannot be meant is refused when the client is made") {
            fun refused(configure: HttpRequestRateLimitConfig.() -> Unit) =
                shouldThrow<IllegalArgumentException> { HttpRequestRateLimitConfig().apply(configure) }.message.orEmpty()
            refused { robots("") } shouldContain "the user agent '' has no name"
            refused { robots("/1.0") } shouldContain "the user agent '/1.0' has no name"
            refused { jitter = (-1).seconds } shouldContain "jitter -1s is not a time"
        }
    })
