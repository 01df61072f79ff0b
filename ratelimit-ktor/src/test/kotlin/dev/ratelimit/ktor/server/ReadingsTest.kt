package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.perHour
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.ktor.server.application.Application
import io.ktor.server.http.content.staticFiles
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing

/** Routes that join the parts of a path again, and find what routing by parts does not see. */
class ReadingsTest :
    FunSpec({
        val dir = tempdir()

        suspend fun oneBudget(
            rule: String,
            method: String,
            module: Application.() -> Unit,
            vararg spellings: String,
        ) {
            for (engine in engines) {
                limited({
                    rule(rule) { global(spellings.size.perHour) }
                    rule("/*") { global(1_000.perHour) }
                }, module, engine) {
                    spellings.map { it to send(method, it).status } shouldBe spellings.map { it to 200 }
                    spellings.map { it to send(method, it).status } shouldBe spellings.map { it to 429 }
                }
            }
        }

        test("a route by regular expression: an encoded slash gives no way around") {
            oneBudget(
                "POST:/auth/*",
                "POST",
                { routing { post(Regex("/auth/(?<what>login)")) { call.respondText("in") } } },
                *arrayOf("/auth/login", "/auth%2Flogin", "/auth%2flogin", "/%61uth%2Flogin", "//auth/login"),
            )
        }

        test("a route for all that follows, whose handler joins it: an encoded slash gives no way around") {
            oneBudget(
                "/files/secret/*",
                "GET",
                { routing { get("/files/{path...}") { call.respondText(call.parameters.getAll("path")!!.joinToString("/")) } } },
                *arrayOf("/files/secret/a", "/files/secret%2Fa", "/files//secret/a"),
            )
        }

        test("files: dots and encoded slashes give no way around") {
            dir.resolve("big").mkdirs()
            dir.resolve("big/f.zip").writeText("zip")
            oneBudget(
                "/static/big/*",
                "GET",
                { routing { staticFiles("/static", dir) } },
                *arrayOf("/static/big/f.zip", "/static/big%2Ff.zip", "/static/./big/f.zip", "/static/x/../big/f.zip"),
                *arrayOf("/static/x%2F..%2Fbig%2Ff.zip", "/static/%2E/big/f.zip", "/static/big/x/%2e%2E/f.zip"),
            )
        }

        test("a path that can mean several things is charged to the rules of all, and once to one that is about all") {
            limited({
                everywhere { global(100.perHour) }
                rule("/a/*") { global(100.perHour) }
                rule("/b/*") { global(100.perHour) }
            }) {
                get("/a/../b/x")

                suspend fun used(rule: String) = 100 - application.rateLimiting.peek(rule, "global", null)[0].remaining()
                listOf("everywhere", "/a/*", "/b/*").map { used(it) } shouldBe listOf(1, 1, 1)
            }
        }

        test("a part that begins and ends so may have nothing between") {
            limited(
                { rule("/report-{id}.pdf") { global(2.perHour) } },
                { routing { get("/report-{id}.pdf") { call.respondText("report") } } },
            ) {
                listOf("/report-1.pdf", "/report-.pdf", "/report-.pdf").map { get(it).status } shouldBe listOf(200, 200, 429)
            }
        }
    })
