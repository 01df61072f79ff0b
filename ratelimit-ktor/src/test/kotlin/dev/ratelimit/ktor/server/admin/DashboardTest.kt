package dev.ratelimit.ktor.server.admin

import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.ktor.server.DeniedEndpoint
import dev.ratelimit.ktor.server.DeniedKey
import dev.ratelimit.ktor.server.RateLimitRuleInfo
import dev.ratelimit.ktor.server.RateLimitScopeInfo
import dev.ratelimit.ktor.server.limited
import io.kotest.core.spec.style.FunSpec
import io.kotest.core.test.Enabled
import io.kotest.core.test.config.DefaultTestConfig
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.string.shouldStartWith
import org.openqa.selenium.Keys
import org.openqa.selenium.support.ui.Select
import java.util.concurrent.atomic.AtomicBoolean

/** The dashboard in a real browser. CI installs one, so there this always runs. */
class DashboardTest :
    FunSpec({
        defaultTestConfig =
            DefaultTestConfig(enabledOrReasonIf = {
                if (Browser.isHere) {
                    Enabled.enabled
                } else {
                    Enabled.disabled(
                        "there is no chromium with its chromedriver on the PATH; install both",
                    )
                }
            })

        suspend fun dashboard(
            control: FakeControl = FakeControl(),
            test: suspend AdminSite.(Browser) -> Unit,
        ) = withAdmin(control = control) {
            Browser.start().use { browser ->
                browser.open("$url/")
                test(browser)
                browser.complaints().shouldBeEmpty()
            }
        }

        test("it shows live figures, rules with their limits, and who was denied most, without a complaint of the browser") {
            dashboard { browser ->
                browser.until { browser.text("#connection") shouldBe "Live" }
                browser.text("#store") shouldBe "Redis 7.0.15, standalone: up, 420 µs"
                browser.text("#requests") shouldBe "1,000"
                browser.text("#denied") shouldBe "90"
                browser.text("#denied-note") shouldBe "9% of all"
                browser.text("#decision") shouldBe "10 µs"
                browser.text("#decision-note") shouldBe "800 µs at most"
                browser.text("#shadow") shouldBe "5"
                browser.text("#whose") shouldBe "Counts of all instances that share the store."
                browser.all("#rules tbody th bdi").map { it.text } shouldContainExactly listOf("/api/*", "POST:/auth/*")
                browser.all("#rules tbody tr:first-child li").map { it.text } shouldContainExactly
                    listOf("ip 100/1m burst 150", "api-key, free 60/1h", "api-key, paid 1000/1h", "global 10000/1m sliding-window")
                browser.all("#rules .badge").map { it.isDisplayed } shouldContainExactly listOf(false, true)
                browser.all("#keys tbody tr td:first-child > bdi").map { it.text } shouldContainExactly
                    listOf("203.0.113.7", "198.51.100.9")
                browser.all("#endpoints tbody tr").map { it.text } shouldContainExactly listOf("GET /api/orders 30", "POST /auth/login 7")
                // Each event brings ten allowed and two denied calls more; the rule on trial has none.
                browser.until {
                    browser.text("#live-text") shouldContain
                        Regex("All calls: [1-9][0-9.]* allowed and [1-9][0-9.]* denied a second")
                }
                browser.until { browser.all("#rules tbody td[data-label^=Now]").first().text shouldContain Regex("[1-9].* denied") }
                browser.all("#rules tbody td[data-label^=Now]").last().text shouldBe "0"
                browser.until {
                    browser.value(
                        "Chart.getChart('live-chart').data.datasets[1].data.filter((p) => p.y > 0).length",
                    ) as Long shouldBeGreaterThan
                        1L
                }
                browser.value("Math.max(...Chart.getChart('history-chart').data.datasets[0].data.map((p) => p.y))") shouldBe 257L
                browser.screenshot("light", 1280, isMobile = false)
            }
        }

        test("the live chart is about the rule that is chosen, and the history about the window") {
            dashboard { browser ->
                fun drawn() = browser.value("Chart.getChart('live-chart').data.datasets[0].data.filter((p) => p.y > 0).length") as Long
                browser.until { browser.text("#connection") shouldBe "Live" }
                browser.until { drawn() shouldBeGreaterThan 1L }
                Select(browser.one("#live-rule")).selectByVisibleText("POST:/auth/*")
                browser.text("#live-text") shouldBe "Rule POST:/auth/*: 0 allowed and 0 denied a second, over the last 5 seconds."
                drawn() shouldBe 0L
                Select(browser.one("#window")).selectByVisibleText("15 minutes")
                browser.until {
                    browser.value("Chart.getChart('history-chart').data.datasets[0].data.length") as Long shouldBeLessThanOrEqual
                        16L
                }
                browser.text("#live-text") shouldStartWith "Rule POST:/auth/*: 0 allowed"
            }
        }

        test("names of keys, endpoints and rules that are HTML stay text (resque#1942, rq-dashboard#526)") {
            val hostile = "<img src=x onerror=alert(1)>"
            val rule = "/\"><script>alert(2)</script>"
            val control =
                FakeControl().apply {
                    rules =
                        listOf(
                            RateLimitRuleInfo(
                                rule,
                                true,
                                listOf(RateLimitScopeInfo("<b>ip</b>", listOf(10.perMinute), emptyMap(), true, false)),
                            ),
                        )
                    topKeys =
                        listOf(
                            DeniedKey(rule, "<b>ip</b>", hostile, 9),
                            DeniedKey(rule, "<b>ip</b>", "</bdi>\u202Eevil\u0000", 8),
                            DeniedKey("__proto__", "x", "", 7),
                        )
                    topEndpoints = listOf(DeniedEndpoint("GET /<svg onload=alert(3)>", 9))
                }
            dashboard(control) { browser ->
                browser.until { browser.all("#keys tbody tr td:first-child > bdi").map { it.text } shouldContain hostile }
                browser.all("#keys tbody tr td:first-child > bdi").map { it.text } shouldContainExactly
                    listOf(hostile, "</bdi>\\u{202e}evil\\u{0}", "(empty)")
                browser.text("#endpoints tbody td") shouldBe "GET /<svg onload=alert(3)>"
                browser.text("#rules tbody th bdi") shouldBe rule
                browser.one("#keys tbody button").click()
                browser.until { browser.text("#bucket-state") shouldContain "10/1m: 0 of 10 left" }
                browser.one("#bucket-key").getDomProperty("value") shouldBe hostile
                browser.one("#reset").click()
                browser.until { browser.text("#confirm-text") shouldContain hostile }
                browser.one("#confirm-yes").click()
                browser.until { browser.text("#bucket-state") shouldContain "Reset:" }
                control.resets.single().key shouldBe hostile
                browser.all("main img, main svg, main script, #keys b, #rules script, dialog img").shouldBeEmpty()
            }
        }

        test("a bucket is looked into and reset, after a question; a no resets nothing") {
            dashboard { browser ->
                browser.until { browser.one("#peek").isEnabled.shouldBeTrue() }
                browser.one("#bucket-key").sendKeys("203.0.113.7", Keys.ENTER)
                browser.until { browser.text("#bucket-state") shouldContain "100/1m burst 150: 0 of 150 left" }
                browser.text("#bucket-state") shouldContain "The next call is denied; again in 12 s. As if never used in 60 s."
                browser.one("#reset").click()
                browser.until { browser.text("#confirm-title") shouldBe "Reset this bucket?" }
                browser.text("#confirm-text") shouldBe
                    "What was used at the rule “/api/*”, scope “ip”, of the key “203.0.113.7”, is forgotten."
                browser.one("#confirm-no").click()
                browser.until { browser.one("#confirm").isDisplayed shouldBe false }
                control.resets.size shouldBe 0
                browser.one("#reset").click()
                browser.one("#confirm-yes").click()
                browser.until { browser.text("#bucket-state") shouldBe "Reset: the bucket is as if it had never been used." }
                control.resets.map { listOf(it.rule, it.scope, it.key) } shouldContainExactly listOf(listOf("/api/*", "ip", "203.0.113.7"))
                browser.one("#peek").click()
                browser.until { browser.text("#bucket-state") shouldContain "150 of 150 left\nThe next call is allowed." }
            }
        }

        test("scopes with tiers ask for one, those with secrets for the hash, and those without keys for none") {
            dashboard { browser ->
                browser.until { browser.one("#peek").isEnabled.shouldBeTrue() }
                browser.one("#bucket-tier").isDisplayed shouldBe false
                Select(browser.one("#bucket-scope")).selectByValue("api-key")
                browser.text("#bucket-key-note") shouldContain "write the hash that is shown of it"
                Select(browser.one("#bucket-tier")).selectByValue("paid")
                browser.one("#bucket-key").sendKeys("0123abcd", Keys.ENTER)
                browser.until { browser.text("#bucket-state") shouldContain "1000/1h: 0 of 1,000 left" }
                Select(browser.one("#bucket-scope")).selectByValue("global")
                browser.one("#bucket-key").isDisplayed shouldBe false
                browser.text("#bucket-state") shouldBe ""
                browser.one("#reset").click()
                browser.until { browser.text("#confirm-text") shouldContain "of all callers together" }
                browser.one("#confirm-yes").click()
                browser.until { control.resets.map { it.scope to it.key } shouldContainExactly listOf("global" to null) }
            }
        }

        test("the emergency switch turns off after a question, says so on top of the page, and turns on again") {
            dashboard { browser ->
                browser.until { browser.one("#switch").isEnabled.shouldBeTrue() }
                browser.one("#off").isDisplayed shouldBe false
                browser.text("#switch-about") shouldContain "this instance lets every call through and charges none. Other instances go on."
                browser.one("#switch").click()
                browser.until { browser.text("#confirm-title") shouldBe "Switch the limits off?" }
                browser.text("#confirm-text") shouldContain "Then this instance lets every call through"
                browser.focused().sendKeys(Keys.ESCAPE)
                browser.until { browser.one("#confirm").isDisplayed shouldBe false }
                control.isEnabled shouldBe true
                browser.one("#switch").click()
                browser.one("#confirm-yes").click()
                browser.until { browser.text("#off") shouldContain "The limits are switched off." }
                control.isEnabled shouldBe false
                browser.one("#on-again").click()
                browser.until { browser.text("#confirm-title") shouldBe "Switch the limits on?" }
                browser.one("#confirm-yes").click()
                browser.until { browser.one("#off").isDisplayed shouldBe false }
                control.turns shouldContainExactly listOf(false, true)
            }
        }

        test("a switch of all instances says so before it is turned") {
            dashboard(FakeControl().apply { isSwitchShared = true }) { browser ->
                browser.until { browser.text("#switch-about") shouldContain "all instances that share the store let every call through" }
                browser.text("#switch-about") shouldNotContain "Other instances"
                browser.one("#switch").click()
                browser.until { browser.text("#confirm-text") shouldContain "Then all instances that share the store let every call" }
                browser.focused().sendKeys(Keys.ESCAPE)
            }
        }

        test("the keyboard alone reaches everything, shows where it is, and does a reset") {
            dashboard { browser ->
                browser.until { browser.one("#peek").isEnabled.shouldBeTrue() }

                fun tabTo(id: String): List<String> {
                    val passed = mutableListOf<String>()
                    while (passed.size < 60 && passed.lastOrNull() != id) {
                        browser.focused().sendKeys(Keys.TAB)
                        val at = browser.focused()
                        at.getCssValue("outline-style") shouldNotBe "none"
                        passed += at.getDomAttribute("id").orEmpty().ifEmpty { at.text }
                    }
                    passed.last() shouldBe id
                    return passed
                }
                val passed = tabTo("bucket-key")
                passed.first() shouldBe "Skip to the figures"
                listOf("window", "live-rule", "Look", "bucket-rule", "bucket-scope").forEach { passed shouldContain it }
                browser.focused().sendKeys("203.0.113.7")
                tabTo("reset")
                browser.focused().sendKeys(Keys.ENTER)
                browser.until { browser.focused().getDomAttribute("id") shouldBe "confirm-no" }
                tabTo("confirm-yes")
                browser.focused().sendKeys(Keys.ENTER)
                browser.until { browser.text("#bucket-state") shouldContain "Reset:" }
                control.resets.single().key shouldBe "203.0.113.7"
                browser.focused().getDomAttribute("id") shouldBe "reset"
            }
        }

        test("who is in a row with the keyboard stays there while the figures change") {
            dashboard { browser ->
                browser.until { browser.all("#keys tbody button").size shouldBe 2 }
                browser.value("document.querySelector('#keys tbody tr:last-child button').focus()")
                control.topKeys = listOf(DeniedKey("POST:/auth/*", "ip", "198.51.100.9", 70), DeniedKey("/api/*", "ip", "192.0.2.1", 60))
                browser.until { browser.text("#keys tbody tr:first-child") shouldContain "70" }
                browser.focused().getDomAttribute("aria-label") shouldBe "Look into the key 198.51.100.9"
                browser.all("#keys tbody tr td:first-child > bdi").map { it.text } shouldContainExactly listOf("198.51.100.9", "192.0.2.1")
            }
        }

        test("it is dark for those who want that, charts too, and follows when they change their mind") {
            dashboard { browser ->
                fun grid() = browser.value("Chart.getChart('live-chart').options.scales.x.grid.color")
                browser.until { browser.text("#connection") shouldBe "Live" }
                val light = browser.one("body").getCssValue("background-color")
                val lightGrid = grid()
                browser.prefer("prefers-color-scheme", "dark")
                browser.until { grid() shouldNotBe lightGrid }
                browser.one("body").getCssValue("background-color") shouldNotBe light
                grid() shouldBe browser.value("getComputedStyle(document.documentElement).getPropertyValue('--line').trim()")
                browser.until { browser.value("Chart.getChart('live-chart').data.datasets[0].data.length") as Long shouldBeGreaterThan 2L }
                browser.screenshot("dark", 1280, isMobile = false)
                browser.prefer("prefers-color-scheme", "light")
                browser.until { grid() shouldBe lightGrid }
            }
        }

        test("nothing moves for those who want less motion") {
            dashboard { browser ->
                browser.value("getComputedStyle(document.querySelector('button')).transitionDuration") shouldBe "0.12s"
                browser.prefer("prefers-reduced-motion", "reduce")
                browser.value("getComputedStyle(document.querySelector('button')).transitionDuration") shouldBe "0s"
                browser.value("Chart.getChart('live-chart').options.animation") shouldBe false
            }
        }

        test("on a phone nothing is wider than the screen, whatever keys are called") {
            val control = FakeControl().apply { topKeys = listOf(DeniedKey("/api/*", "ip", "k".repeat(300), 41)) + topKeys }
            dashboard(control) { browser ->
                for (width in listOf(320, 390)) {
                    browser.size(width, 844, isMobile = true)
                    browser.until { browser.text("#keys") shouldContain "kkk" }
                    browser.value("document.documentElement.scrollWidth") shouldBe width.toLong()
                    browser.value(
                        "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).length",
                    ) shouldBe
                        0L
                }
                browser.until { browser.value("Chart.getChart('live-chart').data.datasets[0].data.length") as Long shouldBeGreaterThan 2L }
                browser.screenshot("phone", 390, isMobile = true)
            }
        }

        test("a lost connection is said plainly, and the page recovers by itself") {
            val control = FakeControl()
            Browser.start().use { browser ->
                var port = 0
                withAdmin(control = control) {
                    port = this.port
                    browser.open("$url/")
                    browser.until { browser.text("#connection") shouldBe "Live" }
                    browser.one("#alert").isDisplayed shouldBe false
                }
                browser.until { browser.text("#connection") shouldBe "Connection lost" }
                browser.text("#alert") shouldStartWith "The connection is lost; trying again. Last news at "
                withAdmin(control = control, port = port) {
                    browser.until { browser.text("#connection") shouldBe "Live" }
                    browser.one("#alert").isDisplayed shouldBe false
                }
            }
        }

        test("who is no longer let in is told so, and the page stops asking") {
            val isLetIn = AtomicBoolean(true)
            withAdmin(configure = { authorize { isLetIn.get() } }) {
                Browser.start().use { browser ->
                    browser.open("$url/")
                    browser.until { browser.text("#connection") shouldBe "Live" }
                    isLetIn.set(false)
                    val refused =
                        audited {
                            browser.until { browser.text("#connection") shouldBe "Not let in" }
                            browser.text("#alert") shouldStartWith "You are no longer let in: you are not let in;"
                            browser.until { routes.streams shouldBe 0 }
                        }
                    refused.size shouldBeLessThan 5
                    isLetIn.set(true)
                    browser.one("#alert button").click()
                    browser.until { browser.text("#connection") shouldBe "Live" }
                }
            }
        }

        test("on a real server it shows who was refused, and its reset lets them in again") {
            limited({
                rule("/api/*") { perIp(2.perHour) }
                admin { authorize { true } }
            }) {
                val statuses = List(5) { get("/api/orders").status }
                statuses shouldContainExactly listOf(200, 200, 429, 429, 429)
                Browser.start().use { browser ->
                    browser.open("http://127.0.0.1:$port/rate-limits/")
                    browser.until { browser.text("#denied") shouldBe "3" }
                    browser.text("#store") shouldStartWith "MemoryStore"
                    browser.text("#endpoints tbody") shouldBe "GET /{...} 3"
                    browser.one("#keys tbody button").click()
                    browser.until { browser.text("#bucket-state") shouldContain "2/1h: 0 of 2 left" }
                    browser.one("#reset").click()
                    browser.one("#confirm-yes").click()
                    browser.until { browser.text("#bucket-state") shouldContain "Reset:" }
                    get("/api/orders").status shouldBe 200
                    browser.one("#switch").click()
                    browser.one("#confirm-yes").click()
                    browser.until { browser.one("#off").isDisplayed.shouldBeTrue() }
                    List(5) { get("/api/orders").status }.distinct() shouldContainExactly listOf(200)
                    browser.complaints().shouldBeEmpty()
                }
            }
        }

        test("without streams the page asks for the counts itself") {
            withAdmin(configure = {
                authorize { true }
                maxStreams = 0
            }) {
                Browser.start().use { browser ->
                    browser.open("$url/")
                    browser.until { browser.text("#connection") shouldBe "Asking every few seconds" }
                    browser.until { browser.text("#live-text") shouldContain Regex("[1-9][0-9.]* allowed and [0-9.]+ denied a second") }
                }
            }
        }

        test("a store that does not answer is said plainly") {
            dashboard(FakeControl().apply { isUp = false }) { browser ->
                browser.until { browser.text("#store") shouldBe "Redis 7.0.15, standalone: does not answer" }
                browser.text("#alert") shouldNotContain "lost"
            }
        }
    })
