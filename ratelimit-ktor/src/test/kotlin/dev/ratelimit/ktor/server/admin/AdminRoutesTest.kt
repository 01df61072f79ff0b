package dev.ratelimit.ktor.server.admin

import dev.ratelimit.RateLimitStoreException
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.server.application.install
import io.ktor.server.routing.IgnoreTrailingSlash
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes

class AdminRoutesTest :
    FunSpec({
        fun json(text: String): JsonElement = Json.parseToJsonElement(text)

        test("metrics are told with totals, rules, minutes, what is denied most and the store's health") {
            withAdmin {
                val answer = get("/metrics?window=15m")
                answer.status shouldBe 200
                answer["Content-Type"] shouldBe "application/json"
                control.windows shouldContainExactly listOf(15.minutes)
                answer.json.keys.toList() shouldContainExactly
                    listOf("windowSeconds", "from", "to", "isShared", "totals", "rules", "minutes", "topDenied", "health")
                answer.json["windowSeconds"] shouldBe json("900")
                answer.json["from"] shouldBe json("\"2026-03-04T04:51:00Z\"")
                answer.json["isShared"] shouldBe json("true")
                answer.json["totals"] shouldBe
                    json(
                        """{"requests": 1000, "allowed": 900, "denied": 90, "shadowDenied": 5, "bypassed": 3, "blocked": 1,
                        "failedOpen": 1, "failedClosed": 0, "denialRate": 0.09, "requestsPerMinute": ${1000 / 15.5},
                        "decisionTime": {"meanMicros": 10.0, "longestMicros": 800.0}}""",
                    )
                answer.json.getValue("rules").jsonObject.keys shouldBe setOf("/api/*", "gone")
                answer.json.keys shouldNotContain "endpoints"
                val more = get("/metrics?byEndpoint=true").json
                more.getValue("endpoints").jsonObject.keys shouldBe setOf("GET /api/orders/{id}", "/api/*", "(no route)")
                get("/metrics?byEndpoint=yes").detail shouldBe
                    "byEndpoint 'yes' is neither true nor false; write byEndpoint=true, or leave it out"
                answer.json.getValue("minutes").jsonArray.map { it.jsonObject.getValue("at").jsonPrimitive.content } shouldContainExactly
                    listOf(
                        "2026-03-04T04:56:00Z",
                        "2026-03-04T05:01:00Z",
                        "2026-03-04T05:04:00Z",
                        "2026-03-04T05:05:00Z",
                        "2026-03-04T05:06:00Z",
                    )
                answer.json["topDenied"] shouldBe
                    json(
                        """{"keys": [{"rule": "/api/*", "scope": "ip", "key": "203.0.113.7", "denied": 41},
                        {"rule": "POST:/auth/*", "scope": "ip", "key": "198.51.100.9", "denied": 7}],
                        "endpoints": [{"endpoint": "GET /api/orders", "denied": 30}, {"endpoint": "POST /auth/login", "denied": 7}]}""",
                    )
                answer.json["health"] shouldBe json("""{"store": "Redis 7.0.15, standalone", "isUp": true, "roundTripMillis": 0.42}""")
            }
        }

        test("the window is an hour unless another is asked for, and one that makes no sense is refused with what to write") {
            withAdmin {
                get("/metrics").status shouldBe 200
                get("/metrics?window=7d").status shouldBe 200
                control.windows shouldContainExactly listOf(1.hours, 7.days)
                for (window in listOf("", "soon", "0s", "-1h", "59s", "9000d", "Infinity")) {
                    val answer = get("/metrics?window=$window")
                    answer.status shouldBe 400
                    answer["Content-Type"] shouldBe "application/problem+json"
                    answer.detail shouldBe "window '$window' is no time between 1m and 366d; write for example 15m, 1h or 7d"
                }
            }
        }

        test("the metrics of one rule are found by its name, with its slashes and colons, encoded or not") {
            withAdmin {
                for (path in listOf("%2Fapi%2F*", "/api/*", "%2Fapi%2F%2A")) {
                    val answer = get("/metrics/endpoint/$path?window=15m")
                    answer.status shouldBe 200
                    answer.json["rule"] shouldBe json("\"/api/*\"")
                    answer.json.getValue("totals").jsonObject["denied"] shouldBe json("90")
                    answer.json.getValue("topDenied").jsonObject["keys"] shouldBe
                        json("""[{"rule": "/api/*", "scope": "ip", "key": "203.0.113.7", "denied": 41}]""")
                }
                val without = get("/metrics/endpoint/POST:/auth/*")
                without.json["rule"] shouldBe json("\"POST:/auth/*\"")
                without.json.getValue("totals").jsonObject["requests"] shouldBe json("0")
                get("/metrics/endpoint/gone").status shouldBe 200
            }
        }

        test("the metrics of one endpoint are found by its method and path") {
            withAdmin {
                for (path in listOf("GET%20%2Fapi%2Forders%2F%7Bid%7D", "GET%20/api/orders/%7Bid%7D")) {
                    val answer = get("/metrics/endpoint/$path?window=15m")
                    answer.status shouldBe 200
                    answer.json["endpoint"] shouldBe json("\"GET /api/orders/{id}\"")
                    answer.json.getValue("totals").jsonObject["allowed"] shouldBe json("800")
                    answer.json.getValue("totals").jsonObject["denied"] shouldBe json("30")
                    answer.json["windowSeconds"] shouldBe json("900")
                    answer.json.getValue("health").jsonObject["isUp"] shouldBe json("true")
                }
                get("/metrics/endpoint/(no%20route)").json["endpoint"] shouldBe json("\"(no route)\"")
                // Of one name: the rule, unless the endpoint is asked for.
                get("/metrics/endpoint//api/*").json.run {
                    this["rule"] shouldBe json("\"/api/*\"")
                    getValue("totals").jsonObject["denied"] shouldBe json("90")
                }
                get("/metrics/endpoint//api/*?byEndpoint=true").json.run {
                    this["endpoint"] shouldBe json("\"/api/*\"")
                    getValue("totals").jsonObject["denied"] shouldBe json("2")
                }
            }
        }

        test("an endpoint or a rule that is not there is a 404 that names those that are") {
            withAdmin {
                val answer = get("/metrics/endpoint/%2Fapi")
                answer.status shouldBe 404
                answer["Content-Type"] shouldBe "application/problem+json"
                answer.json["status"] shouldBe json("404")
                answer.detail shouldBe
                    "there is no rule '/api', and no call of an endpoint '/api'; there are the rules ['/api/*', 'POST:/auth/*', 'gone'] " +
                    "and the endpoints ['GET /api/orders/{id}', '/api/*', '(no route)']"
            }
        }

        test("the counts of this instance can be asked for at once") {
            withAdmin {
                val first = get("/metrics/real-time")
                first.status shouldBe 200
                first["Content-Type"] shouldBe "application/json"
                val second = get("/metrics/real-time")
                second.json["instance"] shouldBe first.json["instance"]
                second.json.getValue("all").jsonObject["allowed"] shouldBe json("20")
                second.json.getValue("rules").jsonObject.keys shouldBe setOf("/api/*", "POST:/auth/*")
            }
        }

        test("the rules in force are told with their limits, and the switch") {
            withAdmin {
                val answer = get("/config")
                answer.status shouldBe 200
                answer.json["isEnabled"] shouldBe json("true")
                answer.json["isSwitchShared"] shouldBe json("false")
                val rules = answer.json.getValue("rules").jsonArray
                rules[1] shouldBe
                    json(
                        """{"name": "POST:/auth/*", "isShadow": true, "scopes": [{"name": "ip", "limits": [
                        {"text": "5/5m fixed-window", "algorithm": "fixed-window", "permits": 5, "periodSeconds": 300.0, "burst": 5},
                        {"text": "10/1h sliding-log", "algorithm": "sliding-log", "permits": 10, "periodSeconds": 3600.0, "burst": 10}],
                        "tiers": {}, "hasKeys": true, "isSecret": false}]}""",
                    )
                val apiKey =
                    rules[0]
                        .jsonObject
                        .getValue("scopes")
                        .jsonArray[1]
                        .jsonObject
                apiKey["isSecret"] shouldBe json("true")
                apiKey.getValue("tiers").jsonObject.keys shouldBe setOf("free", "paid")
            }
        }

        test("health is 200 while the store is up and 503 while it is not") {
            withAdmin {
                get("/health").status shouldBe 200
                control.isUp = false
                val answer = get("/health")
                answer.status shouldBe 503
                answer.json shouldBe json("""{"store": "Redis 7.0.15, standalone", "isUp": false, "roundTripMillis": 0.42}""")
            }
        }

        test("a peek tells each limit of a bucket") {
            withAdmin {
                val answer = get("/peek?rule=/api/*&scope=ip&key=203.0.113.7")
                answer.status shouldBe 200
                answer.json shouldBe
                    json(
                        """{"rule": "/api/*", "scope": "ip", "limits": [{"limit": {"text": "100/1m burst 150", "algorithm": "token-bucket",
                        "permits": 100, "periodSeconds": 60.0, "burst": 150}, "isAllowed": false, "remaining": 0, "retryAfterSeconds": 12.0,
                        "resetAfterSeconds": 60.0, "delaySeconds": 0.0}]}""",
                    )
                get("/peek?rule=/api/*&scope=api-key&key=abc&tier=paid").body shouldContain "1000/1h"
            }
        }

        test("a peek at what is not there is refused in the words of the control") {
            withAdmin {
                get("/peek?scope=ip").detail shouldContain "the parameter 'rule' is missing; write peek?rule="
                get("/peek?rule=/api/*").detail shouldContain "the parameter 'scope' is missing; write peek?rule="
                val answer = get("/peek?rule=/api/*&scope=ipp&key=a")
                answer.status shouldBe 400
                answer.detail shouldBe "rule '/api/*' has no scope 'ipp'; write [ip, api-key, global]"
            }
        }

        test("a reset forgets one bucket") {
            withAdmin {
                val answer = post("/reset", """{"rule": "/api/*", "scope": "ip", "key": "203.0.113.7"}""")
                answer.status shouldBe 204
                answer.body shouldBe ""
                post("/reset", """{"rule": "/api/*", "scope": "global"}""").status shouldBe 204
                control.resets.map { listOf(it.rule, it.scope, it.key) } shouldContainExactly
                    listOf(listOf("/api/*", "ip", "203.0.113.7"), listOf("/api/*", "global", null))
            }
        }

        test("the emergency switch turns off and on") {
            withAdmin {
                val off = post("/emergency", """{"enabled": false}""")
                off.status shouldBe 200
                off.json shouldBe json("""{"isEnabled": false}""")
                control.isEnabled shouldBe false
                get("/config").json["isEnabled"] shouldBe json("false")
                post("/emergency", """{"enabled": true}""").json shouldBe json("""{"isEnabled": true}""")
                control.isEnabled shouldBe true
            }
        }

        test("a body that is not understood is refused with the field and what to write, and does nothing") {
            withAdmin {
                mapOf(
                    "" to "the body is no flat JSON object",
                    "[]" to "the body is no flat JSON object",
                    "{" to "the body is no flat JSON object",
                    "[".repeat(16_000) to "the body is no flat JSON object",
                    """{"scope": "ip", "key": "a"}""" to "field 'rule' is missing",
                    """{"rule": 7, "scope": "ip"}""" to "field 'rule' is 7, which is no text",
                    """{"rule": {}, "scope": "ip"}""" to "the body is no flat JSON object",
                    """{"rule": "/api/*", "scope": "ip", "keys": "a"}""" to "field 'keys' is not known",
                ).forEach { (body, detail) ->
                    val answer = post("/reset", body)
                    answer.status shouldBe 400
                    answer.detail shouldBe """$detail; write for example {"rule": "/api/*", "scope": "ip", "key": "203.0.113.7"}"""
                }
                for (body in listOf("{}", """{"enabled": "false"}""", """{"enabled": 0}""", """{"enabled": null}""")) {
                    post("/emergency", body).detail shouldBe
                        "field 'enabled' is neither true nor false; write for example {\"enabled\": false}"
                }
                post("/reset", """{"rule": "/api/*", "scope": "ip"}""").detail shouldBe "scope 'ip' needs a key"
                control.resets.size shouldBe 0
                control.isEnabled shouldBe true
                post("/reset", """{"rule": "/api/*", "scope": "ip", "key": "[{\"[{"}""").status shouldBe 204
                control.resets.single().key shouldBe "[{\"[{"
            }
        }

        test("a store that cannot answer is a 503, not a limit and not a crash") {
            withAdmin {
                control.failure = RateLimitStoreException("Redis has not answered in 200 ms", null)
                for (path in listOf("/metrics", "/metrics/endpoint/gone", "/peek?rule=/api/*&scope=ip&key=a")) {
                    val answer = get(path)
                    answer.status shouldBe 503
                    answer.detail shouldBe "the store cannot answer: Redis has not answered in 200 ms"
                }
                post("/reset", """{"rule": "/api/*", "scope": "ip", "key": "a"}""").status shouldBe 503
                get("/config").status shouldBe 200
            }
        }

        test("what is not there is a 404 that tells what is, and a wrong method a 405 that tells the right one") {
            withAdmin {
                val missing = get("/metric")
                missing.status shouldBe 404
                missing.detail shouldContain "there is nothing at 'metric'; there are [metrics, metrics/real-time, "
                val wrong = get("/reset")
                wrong.status shouldBe 405
                wrong["Allow"] shouldBe "POST"
                wrong.detail shouldBe "'GET' is not for 'reset'; send POST"
                post("/config", "{}")["Allow"] shouldBe "GET"
                val head = send("HEAD", "/config", null)
                head.status shouldBe 405
                head["Allow"] shouldBe "GET"
            }
        }

        test("the page is at the prefix with a slash, and its prefix alone leads there, with IgnoreTrailingSlash too") {
            for (ignores in listOf(false, true)) {
                withAdmin(application = { if (ignores) install(IgnoreTrailingSlash) }) {
                    val page = get("/")
                    page.status shouldBe 200
                    page["Content-Type"] shouldBe "text/html; charset=utf-8"
                    page.body shouldContain "<h1>Rate limits</h1>"
                    val alone = get("")
                    alone.status shouldBe 302
                    alone["Location"] shouldBe "./rate-limits/"
                }
            }
        }

        test("the prefix is the caller's") {
            withAdmin(configure = {
                prefix = "/ops/limits"
                authorize { true }
            }) {
                get("/health").status shouldBe 200
                get("/metrics/endpoint//api/*").status shouldBe 200
                get("")["Location"] shouldBe "./limits/"
                AdminClient(port, "/rate-limits").get("/health").status shouldBe 404
            }
        }
    })
