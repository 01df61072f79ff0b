package dev.ratelimit.ktor.server.admin

import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.client.withRedis
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.limited
import dev.ratelimit.ktor.server.rateLimiting
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.string.shouldStartWith
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.net.URLEncoder
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

/** The routes on the plugin itself. */
class AdminOnRealServerTest :
    FunSpec({
        val canary = "canary-1f6d09"
        val key = "X-API-Key" to canary

        fun RateLimitingConfig.limits() {
            rule("/api/*") { perApiKey(2.perHour) }
            rule("/*") { global(20.perHour) }
            admin { authorize { true } }
        }

        fun JsonObject.number(vararg path: String) =
            path.dropLast(1).fold(this) { json, name ->
                json.getValue(name).jsonObject
            }.getValue(path.last()).jsonPrimitive.content.toLong()

        test("what is shown of a key finds its bucket, however long it is; and an address in any spelling") {
            val long = "k".repeat(150)
            limited({
                trustedProxies("127.0.0.1")
                rule("/tenants/*") { per("tenant", 1.perHour) { it.request.headers["Tenant"] } }
                rule("/*") { perIp(1.perHour) }
            }) {
                List(2) { get("/tenants/x", "Tenant" to long).status } shouldContainExactly listOf(200, 429)
                val shown = application.rateLimiting.metrics(1.hours).topKeys.single().key
                application.rateLimiting.reset("/tenants/*", "tenant", shown)
                get("/tenants/x", "Tenant" to long).status shouldBe 200
                for ((sent, written) in listOf("2001:DB8::7" to "2001:db8:0:0::1", "::ffff:203.0.113.7" to "203.0.113.7")) {
                    val from = "X-Forwarded-For" to sent
                    List(2) { get("/", from).status } shouldContainExactly listOf(200, 429)
                    application.rateLimiting.peek("/*", "ip", sent)[0].remaining() shouldBe 0
                    application.rateLimiting.reset("/*", "ip", written)
                    get("/", from).status shouldBe 200
                }
                application.rateLimiting.peek("/*", "ip", "2001:db8::/64")[0].remaining() shouldBe 0
            }
        }

        test("what was counted is told, and a bucket found by the hash that is shown of its key; the key itself is told nowhere") {
            limited({ limits() }) {
                val statuses = List(5) { get("/api/orders", key).status }
                statuses shouldContainExactly listOf(200, 200, 429, 429, 429)
                val admin = AdminClient(port, "/rate-limits")
                val metrics = admin.get("/metrics").json
                metrics.number("totals", "allowed") shouldBe 2
                metrics.number("rules", "/api/*", "denied") shouldBe 3
                val denied = metrics.getValue("topDenied").jsonObject.getValue("keys").jsonArray[0].jsonObject
                val shown = denied.getValue("key").jsonPrimitive.content
                shown shouldStartWith "sha256:"

                for (name in listOf(shown, canary)) {
                    val peek = admin.get("/peek?rule=/api/*&scope=api-key&key=${URLEncoder.encode(name, Charsets.UTF_8)}")
                    peek.json.getValue("limits").jsonArray[0].jsonObject.number("remaining") shouldBe 0
                }
                val told =
                    listOf(
                        "/metrics",
                        "/metrics/endpoint//api/*",
                        "/metrics/real-time",
                        "/config",
                        "/health",
                        "/",
                        "/peek?rule=/api/*&scope=api-key&key=$canary",
                    )
                told.forEach { admin.get(it).body shouldNotContain canary }
                val log =
                    audited {
                        admin.post("/reset", """{"rule": "/api/*", "scope": "api-key", "key": "$canary"}""").status shouldBe 204
                        get("/api/orders", key).status shouldBe 200
                        get("/api/orders", key).status shouldBe 200
                        get("/api/orders", key).status shouldBe 429
                        admin.post("/reset", """{"rule": "/api/*", "scope": "api-key", "key": "$shown"}""").status shouldBe 204
                        get("/api/orders", key).status shouldBe 200
                    }
                // An act and a refusal are about the same key, and the log shows it.
                log.filter { "key=$shown" in it }.map { it.substringBefore(" rule") } shouldContainExactly
                    listOf("INFO reset", "INFO refused reason=LIMIT", "INFO reset")
                log.forEach { it shouldNotContain canary }
            }
        }

        test("the routes are under no rule, and the switch opens all others") {
            limited({ limits() }) {
                val admin = AdminClient(port, "/rate-limits")
                repeat(30) { admin.get("/health").status shouldBe 200 }
                admin.get("/metrics/real-time").json.number("all", "allowed") shouldBe 0
                admin.post("/emergency", """{"enabled": false}""").status shouldBe 200
                List(30) { get("/page").status }.distinct() shouldContainExactly listOf(200)
                admin.post("/emergency", """{"enabled": true}""").status shouldBe 200
                List(30) { get("/page").status }.count { it == 429 } shouldBe 10
                admin.get("/metrics/real-time").json.number("all", "bypassed") shouldBe 30
            }
        }

        test("a rule, a scope, a tier or a key that is not there is refused in words") {
            limited({ limits() }) {
                val admin = AdminClient(port, "/rate-limits")
                for (query in listOf(
                    "rule=/ap/*&scope=api-key&key=a",
                    "rule=/api/*&scope=apikey&key=a",
                    "rule=/api/*&scope=api-key",
                    "rule=/*&scope=global&key=a",
                )) {
                    val answer = admin.get("/peek?$query")
                    answer.status shouldBe 400
                    answer.detail shouldContain Regex("there is no|has no|say which key|leave the key out")
                }
            }
        }

        test("without admin there is nothing at the prefix but the rules") {
            limited({ rule("/*") { global(1.perHour) } }) {
                get("/rate-limits/").body shouldBe "ok"
                get("/rate-limits/").status shouldBe 429
            }
        }

        test("two servers of one Redis tell the counts of both, and a reset of one is for both") {
            withRedis(tempdir()) { url ->
                RedisStore.connect(url).use { one ->
                    RedisStore.connect(url).use { two ->
                        limited({
                            store = one
                            limits()
                        }) {
                            val first = this
                            limited({
                                store = two
                                limits()
                            }) {
                                listOf(first, this, first, this).map { it.get("/api/orders", key).status } shouldContainExactly
                                    listOf(200, 200, 429, 429)
                                val admin = AdminClient(port, "/rate-limits")
                                eventually(30.seconds) {
                                    val metrics = admin.get("/metrics").json
                                    metrics.getValue("isShared").jsonPrimitive.content shouldBe "true"
                                    metrics.number("totals", "requests") shouldBe 4
                                    metrics.number("rules", "/api/*", "denied") shouldBe 2
                                }
                                admin.post("/reset", """{"rule": "/api/*", "scope": "api-key", "key": "$canary"}""").status shouldBe 204
                                first.get("/api/orders", key).status shouldBe 200
                                admin.get("/health").json.getValue("isUp").jsonPrimitive.content shouldBe "true"
                            }
                        }
                    }
                }
            }
        }
    })
