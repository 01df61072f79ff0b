package dev.ratelimit.ktor.server

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.read.ListAppender
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.perHour
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import org.slf4j.LoggerFactory
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class ModesTest :
    FunSpec({
        test("the emergency switch lets all through, and charges nothing; the deny-list holds") {
            limited({
                rule("/*") { perIp(1.perHour) }
                deny { apiKeys("stolen") }
            }) {
                application.rateLimiting.isEnabled = false
                List(3) { get().status } shouldContainExactly listOf(200, 200, 200)
                get("/", "X-API-Key" to "stolen").status shouldBe 403
                application.rateLimiting.isEnabled = true
                List(2) { get().status } shouldContainExactly listOf(200, 429)
            }
        }

        test("callers on the list pass: by address, by API key, by a function") {
            limited({
                rule("/*") { global(1.perHour) }
                bypass {
                    apiKeys("partner")
                    whenever { it.request.headers["Monitoring"] == "yes" }
                }
            }) {
                List(2) { get("/", "X-API-Key" to "partner").status } shouldContainExactly listOf(200, 200)
                List(2) { get("/", "Monitoring" to "yes").status } shouldContainExactly listOf(200, 200)
                List(2) { get("/", "X-API-Key" to "other").status } shouldContainExactly listOf(200, 429)
            }
            limited({
                rule("/*") { global(1.perHour) }
                bypass { addresses("127.0.0.0/8") }
            }) { List(2) { get().status } shouldContainExactly listOf(200, 200) }
            limited({
                rule("/*") { global(1.perHour) }
                deny { addresses("127.0.0.1") }
                bypass { addresses("127.0.0.0/8") }
            }) { get().status shouldBe 403 }
        }

        test("a rule in shadow refuses nobody, takes nothing from others, and tells whom it would have refused") {
            limited({
                rule("/*") {
                    perIp(5.perHour)
                    fallThrough = false
                }
                everywhere {
                    global(1.perHour)
                    shadow = true
                }
            }) {
                // The call that the other rule refuses does not count here either.
                val told = mutableListOf<String>()
                application.monitor.subscribe(RateLimitingEvents.WouldRefuse) { told += it.refusal.rule }
                List(6) { get().status }.count { it == 200 } shouldBe 5
                told.size shouldBe 4
                eventually(5.seconds) {
                    val counts = application.rateLimiting.counts()
                    counts.getValue("everywhere").shadowDenied shouldBe 4
                    counts.getValue("/*").allowed shouldBe 5
                    counts.getValue("/*").denied shouldBe 1
                }
                get("/")["X-RateLimit-Scope"] shouldBe "ip"
            }
        }

        test("a specific rule that is tried out takes nothing from the one that rules") {
            limited({
                rule("/*") { perIp(1.perHour) }
                rule("/api/*") {
                    shadow = true
                    perIp(10.perHour)
                }
            }) {
                List(2) { get("/api/x").status } shouldContainExactly listOf(200, 429)
                application.rateLimiting.peek("/api/*", "ip", "127.0.0.1")[0].remaining() shouldBe 9
            }
        }

        test("a rule in shadow does not count calls that another refuses later") {
            limited({
                everywhere {
                    shadow = true
                    global(10.perHour)
                }
                rule("/*") { perEndpoint(1.perHour) }
            }) {
                List(4) { get().status } shouldContainExactly listOf(200, 429, 429, 429)
                application.rateLimiting.peek("everywhere", "global", null)[0].remaining() shouldBe 9
            }
        }

        test("a function that fails fails the call, which is charged to nobody and counted nowhere") {
            limited({
                everywhere { global(10.perHour) }
                rule("/*") { per("late", 1.perHour, afterAuthentication = true) { error("no key") } }
            }) {
                get().status shouldBe 500
                application.rateLimiting.peek("everywhere", "global", null)[0].remaining() shouldBe 10
                application.rateLimiting.counts().getValue("").requests shouldBe 0
            }
        }

        test("no rule is about the routes that steer, as they are spelled; whoever is not let in is not let in there") {
            limited({
                ignoreCase = true
                rule("/*") { global(2.perHour) }
                deny { apiKeys("stolen") }
                admin { authorize { true } }
            }) {
                List(5) { get("/rate-limits/health").status }.distinct() shouldContainExactly listOf(200)
                get("/rate-limits/health", "X-API-Key" to "stolen").status shouldBe 403
                List(3) { get("/RATE-LIMITS/health").status } shouldContainExactly listOf(200, 200, 429)
            }
        }

        test("a rule in shadow whose function fails harms nobody") {
            limited({
                rule("/*") {
                    shadow = true
                    per("odd", 1.perHour) { error("no key") }
                }
            }) { get().status shouldBe 200 }
        }

        test("everything in shadow, as in development") {
            limited({
                environment(RateLimitEnvironment.DEVELOPMENT)
                rule("/*") { perIp(1.perHour) }
            }) { List(2) { get().status } shouldContainExactly listOf(200, 200) }
        }

        test("everything in shadow: what would be refused is what will be, once it rules") {
            for (isDryRun in listOf(true, false)) {
                limited({
                    shadow = isDryRun
                    everywhere { global(9.perHour) }
                    rule("/*") { perIp(1.perHour) }
                    rule("/api/*") { perIp(5.perHour) }
                    rule("/api/next/*") {
                        shadow = true
                        global(3.perHour)
                    }
                }) {
                    List(10) { get("/api/x").status }.count { it == 200 } shouldBe if (isDryRun) 10 else 5
                    List(4) { get("/api/next/x").status }

                    suspend fun left(
                        rule: String,
                        scope: String,
                        key: String? = null,
                    ) = application.rateLimiting.peek(rule, scope, key)[0].remaining()
                    // All or none is charged, and a less specific rule is not asked.
                    left("/api/*", "ip", "127.0.0.1") shouldBe 0
                    left("everywhere", "global") shouldBe 4
                    left("/*", "ip", "127.0.0.1") shouldBe 1
                    left("/api/next/*", "global") shouldBe if (isDryRun) 0 else 3
                    eventually(5.seconds) {
                        val counts = application.rateLimiting.counts().getValue("/api/*")
                        (if (isDryRun) counts.shadowDenied else counts.denied) shouldBe 9
                        counts.allowed shouldBe 5
                    }
                }
            }
        }

        test("a rule about the admin routes could never be asked") {
            for (pattern in listOf("/rate-limits/*", "POST:/rate-limits/reset", "/rate-limits")) {
                shouldThrow<Exception> {
                    limited({
                        rule(pattern) { perIp(1.perHour) }
                        admin { authorize { true } }
                    }) { }
                }.let { generateSequence<Throwable>(it) { e -> e.cause }.joinToString { e -> e.message.orEmpty() } } shouldContain
                    "rule '$pattern' is about the admin routes under '/rate-limits'"
            }
            limited({
                rule("/rate-limits-of-others") { perIp(1.perHour) }
                rule("*/rate-limits/*") { perIp(1.perHour) }
                admin { authorize { true } }
            }) { get("/rate-limits-of-others").status shouldBe 200 }
        }

        test("a call whose turn is too far away is refused, and told when to come back") {
            limited({ rule("/*") { global(RateLimit.leakyBucket(1, 1.hours, 9)) } }) {
                get().status shouldBe 200
                val refused = get()
                refused.status shouldBe 429
                refused["Retry-After"] shouldBe "3570"
                later(59.minutes + 59.seconds + 990.milliseconds)
                // Its turn is in ten milliseconds, which it waits.
                get().status shouldBe 200
            }
            limited({
                maxWait = Duration.ZERO
                rule("/*") { global(RateLimit.leakyBucket(1, 1.seconds, 9)) }
            }) { List(2) { get().status } shouldContainExactly listOf(200, 429) }
            val wrong = shouldThrow<IllegalArgumentException> { RateLimitingConfig().maxWait = (-1).seconds }
            wrong.message shouldContain "maxWait -1s is negative"
        }

        test("counts are of calls: each once in the total, whatever rules it has") {
            limited({
                everywhere { global(100.perHour) }
                rule("/*") { perIp(2.perHour) }
            }) {
                repeat(3) { get() }
                eventually(5.seconds) {
                    val counts = application.rateLimiting.counts()
                    counts.getValue("").requests shouldBe 3
                    counts.getValue("").denied shouldBe 1
                    counts.getValue("/*").allowed shouldBe 2
                }
            }
        }

        /** What is audited of [calls]. */
        suspend fun audited(
            level: Level,
            configure: RateLimitingConfig.() -> Unit,
            calls: suspend Rig.(lines: ListAppender<ILoggingEvent>) -> Unit,
        ): List<String> {
            val log = LoggerFactory.getLogger("dev.ratelimit.audit") as Logger
            val lines = ListAppender<ILoggingEvent>().apply { start() }
            log.addAppender(lines)
            log.level = level
            try {
                limited(configure) { calls(lines) }
            } finally {
                log.detachAppender(lines)
                log.level = null
            }
            return lines.list.map { it.formattedMessage }
        }

        test("the audit log has all that was not let through, and would not have been; in detail, what was") {
            val lines =
                audited(Level.DEBUG, {
                    rule("/*") { perIp(1.perHour) }
                    everywhere {
                        shadow = true
                        global(1.perHour)
                    }
                    deny { apiKeys("stolen") }
                    bypass { apiKeys("partner") }
                }) { lines ->
                    get("/", "X-API-Key" to "partner")
                    get("/")
                    get("/", "X-API-Key" to "stolen")
                    application.rateLimiting.reset("/*", "ip", "127.0.0.1")
                    get("/")
                    get("/")
                    eventually(5.seconds) { lines.list.size shouldBe 5 }
                }
            lines.map { it.substringBefore(" rule") } shouldContainExactlyInAnyOrder
                listOf("passed outcome=BYPASSED", "passed outcome=ALLOWED") +
                listOf("refused reason=BLOCKED", "would refuse reason=LIMIT", "refused reason=LIMIT")
        }

        test("the audit log has refusals, and no key") {
            val lines =
                audited(Level.INFO, { rule("/*") { perApiKey(1.perHour) } }) {
                    repeat(2) { get("/a%0Ab?secret=1", "X-API-Key" to "hunter2") }
                }
            val line = lines.single { "refused" in it }
            line shouldContain "rule=\"/*\" policy=api-key key=sha256:"
            // The route, and not the path, in which secrets may stand.
            line shouldContain "endpoint=\"GET /{...}\""
            line shouldNotContain "hunter2"
        }
    })
