package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitingControl
import dev.ratelimit.ktor.server.bindRateLimitMeters
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeIn
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.micrometer.prometheusmetrics.PrometheusConfig
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlin.time.Duration.Companion.days

/** The dashboard that comes with the library is about the meters that the library has. */
class GrafanaDashboardTest :
    FunSpec({
        val text = RateLimitingControl::class.java.getResource("grafana-dashboard.json").shouldNotBeNull().readText()
        val dashboard = Json.parseToJsonElement(text).jsonObject
        val panels = dashboard.getValue("panels").jsonArray.map { it.jsonObject }
        val queries = panels.flatMap { panel -> panel.getValue("targets").jsonArray.map { it.jsonObject.text("expr") } }

        val registry = PrometheusMeterRegistry(PrometheusConfig.DEFAULT)
        LocalMonitoring(TestClock(), 1.days).use { monitoring ->
            monitoring.counter("/api")
            Control(monitoring).bindRateLimitMeters(registry)
        }
        val labels = registry.scrape().lines().mapNotNull(SAMPLE::matchEntire).associate { sample ->
            val (name, pairs) = sample.destructured
            name to LABEL.findAll(pairs).map { it.groupValues[1] }.toSet()
        }

        test("each metric in its queries is one of the meters, with its labels, and each meter is shown") {
            labels shouldBe
                mapOf(
                    "ratelimit_server_calls_total" to setOf("outcome"),
                    "ratelimit_server_requests_total" to setOf("rule", "outcome"),
                    "ratelimit_server_decision_seconds_count" to setOf("rule"),
                    "ratelimit_server_decision_seconds_sum" to setOf("rule"),
                    "ratelimit_server_store_up" to emptySet(),
                )
            queries.flatMap { query -> METRIC.findAll(query).map { it.groupValues[1] } }.toSet() shouldBe labels.keys
            for (query in queries) {
                for (metric in METRIC.findAll(query)) {
                    withClue(query) {
                        val (name, selectors) = metric.destructured
                        val ofMetric = labels.getValue(name)
                        LABEL.findAll(selectors).map { it.groupValues[1] }.toList().forEach { it shouldBeIn ofMetric }
                        BY.findAll(query).map { it.groupValues[1] }.toList().forEach { it shouldBeIn ofMetric }
                    }
                }
            }
            val outcomes = queries.flatMap { query -> OUTCOME.findAll(query).flatMap { it.groupValues[1].split('|') } }
            OUTCOMES shouldContainAll outcomes
            outcomes shouldContainAll OUTCOMES
        }

        test("its variables are questions about the meters too") {
            val variables = dashboard.getValue("templating").jsonObject.getValue("list").jsonArray.map { it.jsonObject }
            variables.map { it.text("name") } shouldBe listOf("datasource", "rule")
            variables[0].text("type") shouldBe "datasource"
            variables[0].text("query") shouldBe "prometheus"
            variables[1].getValue("query").jsonObject.text("query") shouldBe "label_values(ratelimit_server_requests_total, rule)"
            val used = VARIABLE.findAll(text).map { it.groupValues[1] + it.groupValues[2] }.toSet()
            (used - setOf("__rate_interval", "__all")) shouldBe setOf("datasource", "rule")
        }

        test("each part of it asks the data source that is chosen") {
            val sources = dashboard.all("datasource")
            sources.size shouldBe 2 * panels.size + 1
            sources.toSet() shouldBe setOf(Json.parseToJsonElement("""{"type": "prometheus", "uid": "${'$'}{datasource}"}"""))
        }

        test("its panels have numbers and places of their own, a title and a unit, and queries whose brackets close") {
            panels.map { it.getValue("id").jsonPrimitive.int }.toSet().size shouldBe panels.size
            val places = panels.flatMap(::places)
            places.toSet().size shouldBe places.size
            places.maxOf { it.first } shouldBeAtMost 23
            panels.map { it.text("title") }.toSet().size shouldBe panels.size
            panels.forEach {
                it
                    .getValue("fieldConfig")
                    .jsonObject
                    .getValue("defaults")
                    .jsonObject
                    .text("unit") shouldBeIn
                    listOf("reqps", "percentunit", "s", "short")
            }
            for (query in queries) {
                withClue(query) { query.filter { it in "(){}[]" }.fold("", ::closed) shouldBe "" }
            }
        }
    })

/** A metric and its selectors. */
private val METRIC = Regex("(ratelimit_[a-z_]+)(\\{[^}]*})?")
private val LABEL = Regex("([a-z_]+)=~?\"")

/** A line of what Prometheus reads. */
private val SAMPLE = Regex("(\\w+)(?:\\{(.*)})? (?:[0-9.E]+|NaN)")
private val BY = Regex("by \\(([a-z_]+)\\)")
private val OUTCOME = Regex("outcome=~?\"([^\"]*)\"")
private val VARIABLE = Regex("\\$\\{(\\w+)}|\\$(\\w+)")

private fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content

/** All values of that name, however deep. */
private fun JsonElement.all(name: String): List<JsonElement> =
    when (this) {
        is JsonObject -> flatMap { (key, value) -> if (key == name) listOf(value) else value.all(name) }
        is JsonArray -> flatMap { it.all(name) }
        else -> emptyList()
    }

private fun places(panel: JsonObject): List<Pair<Int, Int>> {
    val (x, y, w, h) = listOf("x", "y", "w", "h").map { panel.getValue("gridPos").jsonObject.getValue(it).jsonPrimitive.int }
    return (x until x + w).flatMap { column -> (y until y + h).map { column to it } }
}

/** The brackets that are open after one more. */
private fun closed(
    open: String,
    bracket: Char,
): String =
    when {
        bracket in "([{" -> open + bracket
        open.isNotEmpty() && "${open.last()}$bracket" in listOf("()", "[]", "{}") -> open.dropLast(1)
        else -> open + bracket
    }
