package dev.ratelimit.ktor.server.matching

import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.server.RateLimitingConfig
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class PathPatternTest :
    FunSpec({
        fun find(
            patterns: List<String>,
            method: String,
            path: String,
        ): List<String> {
            val sorted = patterns.map(PathPattern::parse).sortedWith(Specificity)
            return PatternTree(sorted.map { it to it.text }).find(method, PathSegments("", false).readings(path)[0])
        }

        test("what each form of a pattern is about") {
            val paths = listOf("/", "/api", "/api/users", "/api/users/7", "/v1/api/users", "/api/report-7.pdf")

            fun matched(pattern: String) = paths.filter { find(listOf(pattern), "GET", it).isNotEmpty() }
            matched("/") shouldContainExactly listOf("/")
            matched("/*") shouldContainExactly paths
            matched("*") shouldContainExactly paths
            matched("/api") shouldContainExactly listOf("/api")
            matched("/api/*") shouldContainExactly listOf("/api", "/api/users", "/api/users/7", "/api/report-7.pdf")
            matched("/api/{rest...}") shouldContainExactly matched("/api/*")
            matched("*/api/*") shouldContainExactly paths - "/"
            matched("**/users") shouldContainExactly listOf("/api/users", "/v1/api/users")
            matched("/api/{what}") shouldContainExactly listOf("/api/users", "/api/report-7.pdf")
            matched("/*/users") shouldContainExactly listOf("/api/users")
            matched("/api/report-{id}.pdf") shouldContainExactly listOf("/api/report-7.pdf")
            matched("/api/report-*") shouldContainExactly listOf("/api/report-7.pdf")
            matched("POST:/api") shouldContainExactly emptyList()
            matched("HEAD:/api") shouldContainExactly listOf("/api")
            matched("*:/api") shouldContainExactly listOf("/api")
            matched("/%61pi/us%65rs") shouldContainExactly listOf("/api/users")
        }

        test("the most specific pattern comes first") {
            val patterns = listOf("/*", "*/users/*", "/api/*", "/api/{what}", "/api/us*", "/api/users", "GET:/api/users", "*/users")
            find(patterns.shuffled(), "GET", "/api/users") shouldContainExactly
                listOf("GET:/api/users", "/api/users", "/api/us*", "/api/{what}", "*/users", "/api/*", "*/users/*", "/*")
            find(listOf("/{x}/b", "/a/{y}"), "GET", "/a/b").first() shouldBe "/a/{y}"
        }

        test("a pattern is found once, however often it matches") {
            find(listOf("*/a/*"), "GET", "/a/a/a/a") shouldContainExactly listOf("*/a/*")
        }

        test("patterns that cannot be meant are refused, with what to write") {
            val wrong =
                mapOf(
                    "" to "write '/'",
                    "api/*" to "write '/api/*', or '*/api/*'",
                    "PSOT:/a" to "did you mean 'POST'?",
                    "P0ST:/a" to "no method",
                    ":/a" to "no method",
                    "/a/**/b" to "stands at the beginning or at the end",
                    "*/*" to "about every path",
                    "*/{x}/*" to "about every path",
                    "/users/{id" to "'{' has no '}'",
                    "/users/id}" to "'}'",
                    "/a/{x?}/b" to "may be missing",
                    "/a/{x...}/b" to "may be missing",
                    "/a/{x}{y}" to "two wildcards",
                    "/a/(\\d+)" to "not regular expressions",
                    "/a/.*" to "regular expression",
                    "/a/[0-9]" to "not regular expressions",
                    "/a b" to "' '",
                    "/a?x=1" to "'?'",
                    "/a%zz" to "write '%25' for a '%'",
                    "/a/100%/{id}" to "write '%25' for a '%'",
                    "/a\u0000" to "no path",
                )
            for ((pattern, message) in wrong) {
                shouldThrow<IllegalArgumentException> { PathPattern.parse(pattern) }.message shouldContain message
            }
        }

        test("rules that nobody could tell apart are refused, by name") {
            val same = listOf(
                "/users/{id}" to "/users/{name}",
                "/a/*" to "/a/{x...}",
                "GET:/a" to "HEAD:/a",
                "/a" to "//a/",
                "*" to "/*",
                "/a" to "*:/a",
            )
            for ((one, other) in same) {
                val config =
                    RateLimitingConfig().apply {
                        rule(one) { perIp(1.perSecond) }
                        rule(other) { perIp(1.perSecond) }
                    }
                val message = shouldThrow<IllegalArgumentException> { config.build(MemoryStore(), "") }.message
                message shouldContain "'$one' and '$other' are about the same calls"
            }
        }

        test("a pattern that looks like a trap for regular expressions is text, and a path of 10,000 characters ends (CVE-2024-45296)") {
            val patterns = listOf("/(a+)+$", "*/a/*", "*/a/a/a/a/b", "/{x}/{y}/*") + List(500) { "/a/a/$it/{x}" }
            find(patterns, "GET", "/" + "a".repeat(10_000)) shouldContainExactly emptyList()
            find(patterns, "GET", "/a".repeat(5_000)) shouldContainExactly listOf("*/a/*", "/{x}/{y}/*")
            find(patterns, "GET", "/(a+)+$") shouldContainExactly listOf("/(a+)+$")
        }

        test("the root path of an application is no part of its patterns") {
            val segments = PathSegments("/app/v1", false)
            segments.readings("/app/v1/users")[0] shouldContainExactly listOf("users")
            segments.readings("//app/v%31/users/")[0] shouldContainExactly listOf("users")
            segments.readings("/other")[0] shouldContainExactly listOf("other")
        }
    })
