package dev.ratelimit.ktor.server.admin

import dev.ratelimit.NanoClock
import dev.ratelimit.ktor.server.RateLimitAdminConfig
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.server.application.install
import io.ktor.server.plugins.cors.routing.CORS
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.yield
import java.io.ByteArrayInputStream
import java.net.Socket
import java.net.http.HttpRequest.BodyPublishers
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.seconds

class AdminSecurityTest :
    FunSpec({
        val reset = """{"rule": "/api/*", "scope": "ip", "key": "203.0.113.7"}"""
        val reads =
            listOf("", "/", "/metrics", "/metrics/endpoint/x", "/metrics/real-time", "/metrics/real-time/stream", "/config", "/health")
        val everything = reads + listOf("/peek?rule=/api/*&scope=ip&key=a", "/assets/x/main.js", "/nothing", "/reset", "/emergency")

        /** Lets in whoever has the password. */
        fun RateLimitAdminConfig.password(asked: () -> Unit = {}) =
            authorize {
                asked()
                it.request.headers["X-Password"] == "right"
            }

        val right = "X-Password" to "right"

        test("without an authorisation hook everything is refused, with what to write") {
            withAdmin(configure = {}) {
                for (path in everything) {
                    val answer = get(path)
                    answer.status shouldBe 403
                    answer["Content-Type"] shouldBe "application/problem+json"
                    answer.detail shouldContain "write admin { authorize { call -> … } } in install(RateLimiting)"
                }
                post("/reset", reset).status shouldBe 403
                post("/emergency", """{"enabled": false}""").status shouldBe 403
                control.resets.size shouldBe 0
                control.isEnabled shouldBe true
            }
        }

        test("who is not let in learns nothing, not even what is there, and can do nothing") {
            withAdmin(configure = { password() }) {
                everything.forEachIndexed { i, path ->
                    val answer = get(path, AdminClient.CLIENT to "client $i")
                    answer.status shouldBe 403
                    answer.detail shouldBe "you are not let in; authorize { call -> … } of admin { … } decides who is"
                }
                post("/reset", reset).status shouldBe 403
                post("/emergency", """{"enabled": false}""").status shouldBe 403
                send("DELETE", "/config", null).status shouldBe 403
                control.resets.size shouldBe 0
                control.isEnabled shouldBe true
                get("/health", right).status shouldBe 200
            }
        }

        test("with a challenge who is not let in is asked for credentials") {
            withAdmin(configure = {
                password()
                challenge = "Basic realm=\"rate limits\""
            }) {
                val answer = get("/")
                answer.status shouldBe 401
                answer["WWW-Authenticate"] shouldBe "Basic realm=\"rate limits\""
                get("/", right)["WWW-Authenticate"] shouldBe null
            }
        }

        test("a hook that throws lets nobody in") {
            withAdmin(configure = { authorize { error("the user database is away") } }) {
                post("/reset", reset).status shouldBe 500
                control.resets.size shouldBe 0
            }
        }

        test("a post that a browser sends for another site is refused, by Fetch Metadata") {
            withAdmin {
                for (site in listOf("cross-site", "same-site", "something new")) {
                    val answer = post("/emergency", """{"enabled": false}""", AdminClient.JSON, "Sec-Fetch-Site" to site)
                    answer.status shouldBe 403
                    answer.detail shouldContain "the call comes from a page of another site; open the dashboard itself"
                }
                // A page cannot leave out or fake the header to look like a visit.
                post(
                    "/reset",
                    reset,
                    AdminClient.JSON,
                    "Sec-Fetch-Site" to "cross-site",
                    "Sec-Fetch-Mode" to "navigate",
                    "Sec-Fetch-Dest" to "document",
                ).status shouldBe 403
                control.isEnabled shouldBe true
                control.resets.size shouldBe 0
                post("/reset", reset, AdminClient.JSON, "Sec-Fetch-Site" to "same-origin").status shouldBe 204
            }
        }

        test("where a browser sends no Fetch Metadata, the origin of a post has to be the host") {
            withAdmin {
                val foreign =
                    listOf(
                        "http://evil.example",
                        "https://127.0.0.1:$port.evil.example",
                        "http://127.0.0.1:${port + 1}",
                        "http://127.0.0.1",
                        "null",
                        "x",
                    )
                for (origin in foreign) post("/reset", reset, AdminClient.JSON, "Origin" to origin).status shouldBe 403
                control.resets.size shouldBe 0
                post("/reset", reset, AdminClient.JSON, "Origin" to "http://127.0.0.1:$port").status shouldBe 204
                post("/reset", reset, AdminClient.JSON).status shouldBe 204
            }
        }

        test("an origin and a host are the same with and without the scheme's own port") {
            withAdmin {
                fun status(
                    origin: String,
                    host: String,
                ) = Socket("127.0.0.1", port).use { socket ->
                    socket.soTimeout = 30_000
                    val request = "GET /rate-limits/health HTTP/1.1\r\nHost: $host\r\nOrigin: $origin\r\nConnection: close\r\n\r\n"
                    socket.getOutputStream().write(request.toByteArray())
                    socket.getInputStream().bufferedReader().readLine().split(' ')[1]
                }
                status("https://limits.example", "limits.example:443") shouldBe "200"
                status("https://Limits.example:443", "limits.example") shouldBe "200"
                status("http://limits.example", "limits.example:80") shouldBe "200"
                status("http://limits.example:443", "limits.example") shouldBe "403"
                status("http://limits.example", "limits.example:8080") shouldBe "403"
            }
        }

        test("another site can link to the dashboard, but neither embed nor read it, and cannot use up its user's guesses so") {
            withAdmin(configure = { password() }) {
                repeat(20) { get("/metrics", "Sec-Fetch-Site" to "cross-site", "Sec-Fetch-Mode" to "no-cors").status shouldBe 403 }
                get(
                    "/",
                    right,
                    "Sec-Fetch-Site" to "cross-site",
                    "Sec-Fetch-Mode" to "navigate",
                    "Sec-Fetch-Dest" to "iframe",
                ).status shouldBe
                    403
                get(
                    "/",
                    right,
                    "Sec-Fetch-Site" to "cross-site",
                    "Sec-Fetch-Mode" to "navigate",
                    "Sec-Fetch-Dest" to "document",
                ).status shouldBe
                    200
                get("/metrics", right, "Sec-Fetch-Site" to "same-origin").status shouldBe 200
                get("/", right, "Sec-Fetch-Site" to "none").status shouldBe 200
            }
        }

        test("a CORS plugin that lets all sites in does not let them act") {
            withAdmin(application = {
                install(CORS) {
                    anyHost()
                    allowNonSimpleContentTypes = true
                }
            }) {
                post("/emergency", """{"enabled": false}""", AdminClient.JSON, "Origin" to "http://evil.example").status shouldBe 403
                control.isEnabled shouldBe true
            }
        }

        test("what a form can send is refused, whatever it says") {
            withAdmin {
                for (type in listOf(
                    "application/x-www-form-urlencoded",
                    "text/plain",
                    "multipart/form-data; boundary=x",
                    "nonsense",
                    "a/b/c",
                )) {
                    val answer = post("/emergency", """{"enabled": false}""", "Content-Type" to type)
                    answer.status shouldBe 415
                    answer.detail shouldContain "is not accepted; send application/json"
                }
                post("/emergency", """{"enabled": false}""", *emptyArray<Pair<String, String>>()).status shouldBe 415
                control.isEnabled shouldBe true
                post("/emergency", """{"enabled": false}""", "Content-Type" to "application/json; charset=utf-8").status shouldBe 200
            }
        }

        test("a body that is too long is refused, whether it tells its length or not") {
            withAdmin {
                val long = """{"rule": "/api/*", "scope": "ip", "key": "${"a".repeat(16_384)}"}"""
                post("/reset", long).status shouldBe 413
                val untold =
                    send("POST", "/reset", BodyPublishers.ofInputStream { ByteArrayInputStream(long.toByteArray()) }, AdminClient.JSON)
                untold.status shouldBe 413
                untold.detail shouldBe "the body is longer than 16384 bytes; send fewer"
                control.resets.size shouldBe 0
                post("/reset", """{"rule": "/api/*", "scope": "ip", "key": "${"a".repeat(16_000)}"}""").status shouldBe 204
            }
        }

        test("ten wrong tries a minute are looked at, and then none, right ones neither, until the time is over") {
            val now = AtomicLong()
            val asked = AtomicInteger()
            withAdmin(configure = { password { asked.incrementAndGet() } }, clock = NanoClock { now.get() }) {
                repeat(10) { get("/health").status shouldBe 403 }
                asked.get() shouldBe 10
                val locked = get("/health", right)
                locked.status shouldBe 429
                locked["Retry-After"] shouldBe "6"
                locked.detail shouldBe "there were too many wrong tries from here; try again in 6 s"
                asked.get() shouldBe 10
                get("/health", right, AdminClient.CLIENT to "another").status shouldBe 200
                now.addAndGet(6.seconds.inWholeNanoseconds)
                get("/health", right).status shouldBe 200
            }
        }

        test("tries that are right cost nothing, however many there are") {
            withAdmin(configure = { password() }, clock = { 0 }) {
                repeat(30) { get("/health", right).status shouldBe 200 }
                repeat(9) { get("/health").status shouldBe 403 }
                repeat(30) { get("/health", right).status shouldBe 200 }
            }
        }

        test("a hundred wrong tries at once are no more than ten") {
            val asked = AtomicInteger()
            val guesses = Guesses { 0 }
            val answers =
                coroutineScope {
                    List(100) {
                        async {
                            guesses.attempt("somebody") {
                                asked.incrementAndGet()
                                yield()
                                false
                            }
                        }
                    }.awaitAll()
                }
            asked.get() shouldBe 10
            answers.count { it == Guess.Wrong } shouldBe 10
            answers.count { it is Guess.TooMany } shouldBe 90
        }

        test("a hundred right tries at once are all let in, though each holds a permit while it is looked at") {
            val guesses = Guesses { 0 }
            val most = AtomicInteger()
            val looking = AtomicInteger()
            val gate = CompletableDeferred<Unit>()
            coroutineScope {
                val tries =
                    List(100) {
                        async {
                            guesses.attempt("somebody") {
                                most.accumulateAndGet(looking.incrementAndGet(), ::maxOf)
                                gate.await()
                                looking.decrementAndGet()
                                true
                            }
                        }
                    }
                while (looking.get() < 5) yield()
                gate.complete(Unit)
                tries.awaitAll().count { it == Guess.Right } shouldBe 100
            }
            most.get() shouldBe 5
        }

        test("acts are told to the audit log by the name of who acts, and keys by their hash alone") {
            val lines =
                audited {
                    withAdmin(configure = {
                        authorize { true }
                        actor { it.request.headers["X-User"] }
                    }) {
                        post("/reset", reset, AdminClient.JSON, "X-User" to "alice")
                        post("/reset", """{"rule": "/api/*", "scope": "global"}""")
                        post("/reset", """{"rule": "/api/*", "scope": "api-key", "key": "sha256:0123456789abcdef0123456789abcdef"}""")
                        post("/emergency", """{"enabled": false}""", AdminClient.JSON, "X-User" to "bob")
                        post("/emergency", """{"enabled": true}""")
                        post("/reset", """{"rule": "/api/*", "scope": "nowhere"}""")
                    }
                }
            // printf 203.0.113.7 | sha256sum
            lines shouldContainExactly
                listOf(
                    """INFO reset rule="/api/*" scope="ip" key=sha256:fec52565aa0cf18f57d7cf5b3ac72850 by="alice" from="127.0.0.1"""",
                    """INFO reset rule="/api/*" scope="global" key=- by=- from="127.0.0.1"""",
                    """INFO reset rule="/api/*" scope="api-key" key=sha256:0123456789abcdef0123456789abcdef by=- from="127.0.0.1"""",
                    """INFO limits switched off by="bob" from="127.0.0.1"""",
                    """INFO limits switched on by=- from="127.0.0.1"""",
                )
        }

        test("refused tries are told to the audit log, and a flood of them is not") {
            val lines =
                audited {
                    withAdmin(configure = { password() }, clock = { 0 }) {
                        post("/reset", reset, AdminClient.JSON, "Sec-Fetch-Site" to "cross-site", AdminClient.CLIENT to "another")
                        repeat(200) { get("/health?key=secret") }
                    }
                }
            lines shouldHaveSize 21
            lines[0] shouldContain
                "INFO not let in call=\"POST /rate-limits/reset\" from=\"another\" why=\"the call comes from a page of another site;"
            lines[1] shouldBe
                "INFO not let in call=\"GET /rate-limits/health\" from=\"127.0.0.1\" " +
                "why=\"you are not let in; authorize { call -> … } of admin { … } decides who is\""
            lines[11] shouldContain "there were too many wrong tries from here"
            lines.last() shouldContain "; no more of this client for now"
            lines.filter { "secret" in it || "203.0.113.7" in it } shouldHaveSize 0
        }

        test("what was sent cannot begin a line of its own in the audit log") {
            audited {
                AdminAudit { 0 }.notLetIn("GET /a\r\nINFO reset", "one\u0085two\u2028three\" by=\"alice", "because")
            } shouldContainExactly
                listOf("INFO not let in call=\"GET /a??INFO reset\" from=\"one?two?three? by=?alice\" why=\"because\"")
        }

        test("no answer is kept by caches, none is taken for another type, and no address is told to other sites") {
            withAdmin(configure = { password() }) {
                val answers =
                    reads.drop(2).filter { "stream" !in it }.map { get(it, right) } +
                        get("/peek?rule=/api/*&scope=ip&key=a", right) + get("/nothing", right) + get("/health") +
                        post("/emergency", """{"enabled": true}""", AdminClient.JSON, right) + get("/", right)
                for (answer in answers) {
                    answer["Cache-Control"] shouldBe "no-store"
                    answer["X-Content-Type-Options"] shouldBe "nosniff"
                    answer["Referrer-Policy"] shouldBe "same-origin"
                    answer["Cross-Origin-Resource-Policy"] shouldBe "same-origin"
                }
            }
        }
    })
