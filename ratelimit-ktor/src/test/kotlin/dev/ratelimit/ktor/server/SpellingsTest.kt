package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.perHour
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeIn
import io.kotest.matchers.shouldBe
import io.ktor.server.application.install
import io.ktor.server.plugins.autohead.AutoHeadResponse
import io.ktor.server.plugins.methodoverride.XHttpMethodOverride
import io.ktor.server.response.respondText
import io.ktor.server.routing.IgnoreTrailingSlash
import io.ktor.server.routing.get
import io.ktor.server.routing.head
import io.ktor.server.routing.post
import io.ktor.server.routing.routing

/** Every spelling that routes has one budget (coder#27273, ovumcy#354, outline#13504). */
class SpellingsTest :
    FunSpec({
        for (engine in engines) {
            val name = engine.javaClass.simpleName

            test("$name: slashes, percent-encoding and a slash at the end are one path") {
                limited(
                    { rule("POST:/auth/login") { global(6.perHour) } },
                    {
                        install(IgnoreTrailingSlash)
                        routing { post("/auth/login") { call.respondText("in") } }
                    },
                    engine,
                ) {
                    val spellings =
                        listOf("/auth/login", "//auth//login", "/auth/login/", "/auth/%6Cogin", "/%61uth/log%69n", "///auth/login//?x=1")
                    spellings.map { post(it).status }.distinct() shouldBe listOf(200)
                    spellings.map { post(it).status }.distinct() shouldBe listOf(429)
                }
            }
        }

        test("what does not route gives no way around: case, a path parameter, an encoded slash, a dot") {
            limited(
                { rule("/auth/login") { global(1.perHour) } },
                { routing { get("/auth/login") { call.respondText("in") } } },
            ) {
                get("/auth/login").status shouldBe 200
                for (spelling in listOf(
                    "/AUTH/login",
                    "/auth/login;x=1",
                    "/auth%2Flogin",
                    "/auth/./login",
                    "/x/../auth/login",
                    "/auth/login%00",
                )) {
                    withClue(spelling) { get(spelling).status shouldBeIn listOf(400, 404, 429) }
                }
            }
        }

        test("a path that cannot be decoded is refused by routing, and limited all the same") {
            limited({ rule("/*") { global(2.perHour) } }) {
                List(3) { get("/a%zz").status }.last() shouldBe 429
            }
        }

        test("ignoreCase, for routes that ignore it") {
            limited({
                ignoreCase = true
                rule("/Auth/*") { global(1.perHour) }
            }) {
                get("/auth/x").status shouldBe 200
                get("/AUTH/y").status shouldBe 429
            }
        }

        test("HEAD that is answered by the route of GET is a GET, wherever the plugin for it was installed") {
            for (isLast in listOf(true, false)) {
                limited(
                    { rule("GET:/file") { global(2.perHour) } },
                    {
                        install(AutoHeadResponse)
                        routing { get("/file") { call.respondText("text") } }
                    },
                    limitsLast = isLast,
                ) { listOf("HEAD", "GET", "HEAD", "GET").map { send(it, "/file").status } shouldBe listOf(200, 200, 429, 429) }
            }
        }

        test("HEAD is a GET") {
            limited(
                { rule("GET:/file") { global(2.perHour) } },
                {
                    routing {
                        get("/file") { call.respondText("text") }
                        head("/file") { call.respondText("") }
                    }
                },
            ) {
                listOf("HEAD", "GET", "HEAD", "GET").map { send(it, "/file").status } shouldBe listOf(200, 200, 429, 429)
            }
        }

        test("OPTIONS and others have the budget of a rule without a method") {
            limited({ rule("/file") { global(2.perHour) } }) {
                listOf("OPTIONS", "DELETE", "PATCH", "GET").map { send(it, "/file").status }.takeLast(2) shouldBe listOf(429, 429)
            }
        }

        test("an overridden method counts as what it becomes, wherever the plugin for it was installed") {
            for (isLast in listOf(true, false)) {
                limited(
                    { rule("DELETE:/file") { global(1.perHour) } },
                    {
                        install(XHttpMethodOverride)
                        anything()
                    },
                    limitsLast = isLast,
                ) {
                    val override = "X-Http-Method-Override" to "DELETE"
                    post("/file", override)
                    post("/file", override).status shouldBe 429
                    send("DELETE", "/file").status shouldBe 429
                    post("/file").status shouldBe 200
                }
            }
        }

        test("the path of a root has spellings too") {
            limited({ rule("/") { global(1.perHour) } }) { listOf("/", "//", "/?x").map { get(it).status } shouldBe listOf(200, 429, 429) }
        }

        test("the root path of an application is no part of its patterns, nor of the admin routes' prefix") {
            for (engine in engines) {
                limited({
                    rule("/users/*") { global(1.perHour) }
                    admin { authorize { true } }
                }, engine = engine, rootPath = "/app/v1") {
                    val paths = listOf("/app/v1/users/1", "/app//v1/users/2", "/app/v%31/users/3/")
                    paths.map { get(it).status } shouldBe listOf(200, 429, 429)
                    get("/app/v1/rate-limits/health").status shouldBe 200
                    get("/app/v1/else").status shouldBe 200
                }
            }
        }
    })
