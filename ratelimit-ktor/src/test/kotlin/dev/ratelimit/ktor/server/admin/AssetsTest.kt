package dev.ratelimit.ktor.server.admin

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.string.shouldStartWith
import java.io.File
import java.util.Properties

class AssetsTest :
    FunSpec({
        val dir = File(checkNotNull(Assets::class.java.getResource("/dev/ratelimit/ktor/server/admin/dashboard.html")).toURI()).parentFile
        val page = Regex("assets/([0-9a-f]{16})/([a-z.]+)")

        val files = checkNotNull(dir.list()).filter { it.substringAfterLast('.') in setOf("js", "css", "svg") }

        fun text(name: String) = dir.resolve(name).readText()

        test("the page may load its own files and nothing else, and runs nothing inline") {
            withAdmin {
                val answer = get("/")
                answer["Content-Security-Policy"] shouldBe
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
                    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
                Regex("<script(?![^>]* src=)|<style| style=| on[a-z]+=|javascript:|https?://").findAll(answer.body).map {
                    it.value
                }.toList().shouldBeEmpty()
                answer.body shouldNotContain "{version}"
                answer.body shouldNotContain "{charts}"
            }
        }

        test("no script reads text as HTML or as code") {
            val names = files.filter { it.endsWith(".js") }
            val forbidden =
                Regex(
                    "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|DOMParser|createContextualFragment|srcdoc|" +
                        "\\beval\\(|new Function|https?://",
                )
            names.filter { forbidden.containsMatchIn(text(it)) }.shouldBeEmpty()
        }

        test("each file that the page and its modules ask for is served, to be kept for ever, and asked for again costs no body") {
            withAdmin {
                val found = page.findAll(get("/").body).map { it.destructured.let { (version, name) -> version to name } }.toList()
                val version = found.map { it.first }.toSet().single()
                val imported =
                    files.filter { it.endsWith(".js") }.flatMap { name ->
                        Regex("from '\\./([a-z.]+)'").findAll(text(name)).map { it.groupValues[1] }
                    }
                val asked = (found.map { it.second } + imported).toSet()
                asked shouldContainExactlyInAnyOrder files + "chart.js"
                for (name in asked) {
                    val asset = get("/assets/$version/$name")
                    asset.status shouldBe 200
                    asset["Cache-Control"] shouldBe "private, max-age=31536000, immutable"
                    asset["X-Content-Type-Options"] shouldBe "nosniff"
                    asset["Content-Type"] shouldBe
                        when (name.substringAfterLast('.')) {
                            "js" -> "text/javascript; charset=utf-8"
                            "css" -> "text/css; charset=utf-8"
                            else -> "image/svg+xml"
                        }
                    val etag = checkNotNull(asset["ETag"])
                    val again = get("/assets/$version/$name", "If-None-Match" to "\"other\", W/$etag")
                    again.status shouldBe 304
                    again.body shouldBe ""
                    get("/assets/$version/$name", "If-None-Match" to "\"other\"").status shouldBe 200
                }
            }
        }

        test("files of another version, of other places and of no place are not served") {
            withAdmin {
                val version = checkNotNull(page.find(get("/").body)).groupValues[1]
                for (path in listOf(
                    "0123456789abcdef/main.js",
                    "$version/dashboard.html",
                    "$version/../AdminRoutes.class",
                    "$version/",
                    version,
                    "main.js",
                )) {
                    get("/assets/$path").status shouldBe 404
                }
            }
        }

        test("chart.js is the one of the WebJar on the class path, in its version") {
            val properties = Properties()
            checkNotNull(javaClass.getResourceAsStream("/META-INF/maven/org.webjars.npm/chart.js/pom.properties")).use {
                properties.load(it)
            }
            val assets = Assets()
            val script = checkNotNull(assets.find(assets.version, "chart.js")).bytes.decodeToString()
            script.take(100) shouldContain "Chart.js v${properties.getProperty("version")}"
        }

        test("without chart.js on the class path the page asks for none") {
            val own = Assets::class.java.classLoader
            val without =
                Assets(
                    object : ClassLoader(null) {
                        override fun getResourceAsStream(name: String) = if ("chart.js" in name) null else own.getResourceAsStream(name)
                    },
                )
            without.page.bytes.decodeToString() shouldNotContain "chart.js"
            without.find(without.version, "chart.js") shouldBe null
            without.version shouldNotBe Assets().version
            Assets().page.bytes.decodeToString() shouldContain "/chart.js\" defer></script>"
        }

        test("the address of the files changes with their content and with nothing else") {
            Assets().version shouldBe Assets().version
            Assets().page.bytes.decodeToString() shouldStartWith "<!doctype html>"
        }
    })
