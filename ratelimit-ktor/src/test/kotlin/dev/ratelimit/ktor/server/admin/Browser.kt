package dev.ratelimit.ktor.server.admin

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import org.openqa.selenium.By
import org.openqa.selenium.OutputType
import org.openqa.selenium.WebElement
import org.openqa.selenium.chrome.ChromeDriver
import org.openqa.selenium.chrome.ChromeDriverService
import org.openqa.selenium.chrome.ChromeOptions
import org.openqa.selenium.logging.LogType
import org.openqa.selenium.logging.LoggingPreferences
import java.io.File
import java.util.logging.Level
import kotlin.time.Duration.Companion.seconds

/** A Chromium without a window, driven by the driver that was packaged with it. It talks to 127.0.0.1 only. */
internal class Browser private constructor(
    private val driver: ChromeDriver,
) : AutoCloseable {
    init {
        // Seen from the first script on: what the page's policy stopped, and what a script that got in would do.
        val source =
            """
            window.seen = [];
            addEventListener('securitypolicyviolation', (e) => seen.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI));
            addEventListener('error', (e) => seen.push('error: ' + (e.message ?? e.target.src)), true);
            addEventListener('unhandledrejection', (e) => seen.push('rejection: ' + e.reason));
            for (const name of ['alert', 'confirm', 'prompt']) window[name] = (text) => seen.push(name + ': ' + text);
            """.trimIndent()
        driver.executeCdpCommand("Page.addScriptToEvaluateOnNewDocument", mapOf("source" to source))
    }

    fun open(url: String) = driver.get(url)

    fun all(css: String): List<WebElement> = driver.findElements(By.cssSelector(css))

    fun one(css: String): WebElement = driver.findElement(By.cssSelector(css))

    fun text(css: String): String = one(css).text

    /** With [script] an expression. */
    fun value(
        script: String,
        vararg arguments: Any,
    ): Any? = driver.executeScript("return $script", *arguments)

    fun focused(): WebElement = driver.switchTo().activeElement()

    suspend fun until(check: suspend () -> Unit) = eventually(30.seconds) { check() }

    /** What must not be: violations of the policy, errors, dialogs, and what the console says of them. */
    fun complaints(): List<String> {
        val console = driver.manage().logs()[LogType.BROWSER].filter { it.level.intValue() >= Level.WARNING.intValue() }
        return (value("window.seen") as List<*>).map { "$it" } + console.map { it.message }
    }

    fun prefer(
        feature: String,
        value: String,
    ) {
        driver.executeCdpCommand("Emulation.setEmulatedMedia", mapOf("features" to listOf(mapOf("name" to feature, "value" to value))))
    }

    fun size(
        width: Int,
        height: Int,
        isMobile: Boolean,
    ) {
        val metrics = mapOf("width" to width, "height" to height, "deviceScaleFactor" to 1, "mobile" to isMobile)
        driver.executeCdpCommand("Emulation.setDeviceMetricsOverride", metrics)
    }

    /** The whole page, at this width, into the build directory: for people to look at. */
    suspend fun screenshot(
        name: String,
        width: Int,
        isMobile: Boolean,
    ) {
        size(width, 800, isMobile)
        until { value("innerWidth") shouldBe width.toLong() }
        size(width, (value("document.documentElement.scrollHeight") as Long).toInt(), isMobile)
        File("target/dashboard-$name.png").writeBytes(driver.getScreenshotAs(OutputType.BYTES))
    }

    override fun close() = driver.quit()

    companion object {
        val binary = find("chromium")
        val driverBinary = find("chromedriver")
        val isHere get() = binary != null && driverBinary != null

        private fun find(name: String): File? =
            System
                .getenv("PATH")
                .orEmpty()
                .split(File.pathSeparator)
                .map { File(it, name) }
                .firstOrNull { it.canExecute() }

        fun start(): Browser {
            val service = ChromeDriverService.Builder().usingDriverExecutable(checkNotNull(driverBinary)).usingAnyFreePort().build()
            val options =
                ChromeOptions().setBinary(checkNotNull(binary)).addArguments(
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                )
            options.setCapability("goog:loggingPrefs", LoggingPreferences().apply { enable(LogType.BROWSER, Level.ALL) })
            return Browser(ChromeDriver(service, options))
        }
    }
}
