package dev.ratelimit.ktor.server.settings

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.server.RateLimitRuleInfo
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.limited
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.datatest.withTests
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.server.config.ConfigLoader
import io.ktor.server.config.ConfigLoader.Companion.load
import java.io.File
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.seconds

class SettingsTest :
    FunSpec({
        fun read(
            text: String,
            type: String,
        ): RateLimitingConfig {
            val file = File.createTempFile("application", ".$type").apply { deleteOnExit() }
            file.writeText(text)
            return RateLimitingConfig().apply { from(ConfigLoader.load(file.path).config("rateLimiting")) }
        }

        fun RateLimitingConfig.rules(): List<RateLimitRuleInfo> = build(MemoryStore(), "").book.all.map { it.info() }

        val hocon =
            """
            rateLimiting {
              failOpen = false
              warnAt = 0.9
              metricsRetention = 3d
              trustedProxies = ["10.0.0.0/8"]
              tiers = [free, premium]
              everywhere { global = 1000/1s }
              rules = [
                { match = "POST:/auth/*", perIp = ["5/5m fixed-window", "10/1h sliding-log"], weight = 2 }
                { match = "/api/*", perUser = tiers, perIp = 100/1m burst 150, shadow = true }
              ]
              limits = [ { name = search, perEndpoint = 10/1s } ]
              bypass { addresses = ["127.0.0.1"] }
            }
            """.trimIndent()
        val yaml =
            """
            rateLimiting:
              failOpen: false
              warnAt: 0.9
              metricsRetention: 3d
              trustedProxies: ["10.0.0.0/8"]
              tiers: [free, premium]
              everywhere:
                global: 1000/1s
              rules:
                - match: "POST:/auth/*"
                  perIp: ["5/5m fixed-window", "10/1h sliding-log"]
                  weight: 2
                - match: "/api/*"
                  perUser: tiers
                  perIp: 100/1m burst 150
                  shadow: true
              limits:
                - name: search
                  perEndpoint: 10/1s
              bypass:
                addresses: ["127.0.0.1"]
            """.trimIndent()

        for ((type, text) in listOf("conf" to hocon, "yaml" to yaml)) {
            test("all that can be said in code can be said in a .$type file") {
                val config = read(text, type)
                config.failOpen shouldBe false
                config.warnAt shouldBe 0.9
                config.metricsRetention shouldBe 3.days
                val rules = config.rules().associateBy { it.name }
                rules.keys shouldBe setOf("everywhere", "POST:/auth/*", "/api/*", "search")
                rules.getValue("POST:/auth/*").scopes[0].limits shouldContainExactly
                    listOf(RateLimit.parse("5/5m fixed-window"), RateLimit.parse("10/1h sliding-log"))
                rules.getValue("/api/*").isShadow shouldBe true
                rules.getValue("/api/*").scopes.first { it.name == "user" }.tiers.getValue("free")[0] shouldBe 100.perHour
            }
        }

        test("every other setting of a file does what it says") {
            val yaml =
                """
                rateLimiting:
                  environment: staging
                  enabled: true
                  shadow: false
                  ignoreCase: true
                  maxWait: 5s
                  ipv6Prefix: 56
                  monitoring: false
                  trustedProxies: ["127.0.0.1"]
                  forwardingHeader: Forwarded
                  tiers:
                    small: [1/1h]
                    large: [9/1h, 5/1m]
                  rules:
                    - match: /a/*
                      perIp: tiers
                    - match: /b/*
                      fallThrough: true
                      perApiKey: 1/1h
                  deny:
                    apiKeys: [stolen]
                  bypass:
                    apiKeys: [friend]
                  answers:
                    retryAfter: false
                    rateLimitHeaders: false
                    standardHeaders: false
                    resetAsEpoch: true
                """.trimIndent()
            read(yaml, "yaml").run {
                listOf(warnAt, isEnabled, shadow, ignoreCase, maxWait, ipv6Prefix, monitoring) shouldBe
                    listOf(0.8, true, false, true, 5.seconds, 56, false)
            }
            val file = File.createTempFile("application", ".yaml").apply { deleteOnExit() }
            file.writeText(yaml)
            limited({
                tier { it.request.headers["Plan"] }
                from(ConfigLoader.load(file.path).config("rateLimiting"))
            }) {
                fun from(address: String) = "Forwarded" to "for=$address"
                List(2) { get("/A/x", from("203.0.113.7")).status } shouldContainExactly listOf(200, 429)
                List(6) { get("/a/x", from("203.0.113.8"), "Plan" to "large").status }.count { it == 200 } shouldBe 5
                List(2) { get("/a/x", from("\"[2001:db8:0:$it::1]\"")).status } shouldContainExactly listOf(200, 429)
                List(2) { get("/b/x", "X-API-Key" to "k").status } shouldContainExactly listOf(200, 429)
                get("/b/x", "X-API-Key" to "stolen").status shouldBe 403
                List(2) { get("/b/x", "X-API-Key" to "friend").status }.distinct() shouldContainExactly listOf(200)
                val refused = get("/b/x", "X-API-Key" to "k")
                for (name in listOf("Retry-After", "X-RateLimit-Limit", "RateLimit")) refused[name] shouldBe null
            }
        }

        context("what cannot be meant is refused, with its place and what to write") {
            withTests(
                mapOf(
                    "rules: [{ match: /a, perIP: 1/s }]" to "'rules[0].perIP'; did you mean 'rules[0].perIp'",
                    "rulez: []" to "'rulez'; did you mean 'rules'",
                    "trustedProxys: []" to "did you mean 'trustedProxies'",
                    "zzz: 1" to "there is no setting 'zzz'; there are [",
                    "rules: [{ match: /a, perIp: 10 }]" to "rules[0].perIp: rate '10' has no unit; write '10/s'",
                    "rules: [{ perIp: 1/s }]" to "'rules[0].match' is missing",
                    "rules: [{ match: /a }]" to "rule '/a' has no limits",
                    "rules: [{ match: /a, perIp: 1/s, weight: -1 }]" to "weight -1 of rule '/a' is not positive",
                    "rules: [{ match: /a, perIp: 1/s, weight: 2 }]" to "weight 2, but 1/1s never grants more than 1",
                    "rules: [{ match: a, perIp: 1/s }]" to "write '/a'",
                    "rules: 5" to "setting 'rules' is '5'; write a list",
                    "warnAt: high" to "setting 'warnAt' is 'high'; write a number",
                    "warnAt: 80" to "warnAt 80.0 is no part",
                    "ipv6Prefix: 99999999999" to "is no number of bits",
                    "maxWait: -1s" to "maxWait -1s is negative",
                    "enabled: maybe" to "write true or false",
                    "metricsRetention: 7 weeks" to "for example 7d",
                    "environment: prodction" to "did you mean 'production'",
                    "rules: [{ match: /a, perIp: [], global: 1/s }]" to "'rules[0].perIp' has no limit",
                    "rules: [{ match: /a, perIp: , global: 1/s }]" to "'rules[0].perIp' has no limit",
                    "forwardingHeader: Forwarded" to "there are no 'trustedProxies'",
                    "metricsRetention: 90d" to "metricsRetention 90d is not between a minute and 31d",
                    "tiers: [gold]" to "'gold', which is not ready",
                    "rules: [{ match: /a, perUser: tiers }]" to "goes by tiers, but there are none",
                    "trustedProxies: [10.0.0.0/99]" to "'10.0.0.0/99' is neither",
                    "failOpen: true" to "would limit nothing",
                ).map { it.toPair() }.let { pairs -> pairs.associate { it.first to it } },
            ) { (text, message) ->
                val rule = if ("rule" in text || "failOpen" in text) "" else "\n  rules: [{ match: /x, perIp: 1/s }]"
                shouldThrow<IllegalArgumentException> { read("rateLimiting:\n  $text$rule", "yaml").rules() }.message shouldContain message
            }
        }

        test("environment variables") {
            val config = RateLimitingConfig()
            config.fromEnvironment(
                mapOf(
                    "ENVIRONMENT" to "staging",
                    "RATE_LIMITING_ENABLED" to "false",
                    "ENABLE_RATE_LIMIT_MONITORING" to "no",
                    "METRICS_RETENTION_DAYS" to "2",
                    "REDIS_POOL_SIZE" to "10",
                    "REDIS_URL" to "",
                ),
            )
            listOf(config.warnAt, config.shadow, config.isEnabled, config.monitoring, config.metricsRetention, config.store) shouldBe
                listOf(0.8, false, false, false, 2.days, null)
            for ((name, value) in mapOf(
                "RATE_LIMITING_ENABLED" to "2",
                "METRICS_RETENTION_DAYS" to "90",
                "REDIS_POOL_SIZE" to "many",
                "ENVIRONMENT" to "x",
            )) {
                shouldThrow<IllegalArgumentException> { RateLimitingConfig().fromEnvironment(mapOf(name to value)) }.message shouldContain
                    value
            }
            val presets = mapOf("development" to (true to null), "Production" to (false to null), "STAGING" to (false to 0.8))
            for ((text, settings) in presets) {
                val preset = RateLimitingConfig().apply { fromEnvironment(mapOf("ENVIRONMENT" to text)) }
                preset.shadow to preset.warnAt shouldBe settings
            }
        }
    })
