package dev.ratelimit.ktor.server.admin

import io.ktor.http.ContentType
import java.security.MessageDigest
import java.util.HexFormat
import java.util.Properties

/**
 * The dashboard's page and what it loads. What it loads has addresses made of its content, so that browsers keep it and never ask again;
 * chart.js comes from its WebJar, in the version that is on the class path.
 */
internal class Assets(
    private val classLoader: ClassLoader = Assets::class.java.classLoader,
) {
    class Asset(
        val bytes: ByteArray,
        val type: ContentType,
    ) {
        val etag = "\"${hash(bytes)}\""
    }

    /** By name. */
    private val assets: Map<String, Asset> =
        NAMES.associateWith { Asset(checkNotNull(read("$HOME/$it")) { "the dashboard's $it is not on the class path" }, typeOf(it)) } +
            listOfNotNull(charts()?.let { CHARTS to Asset(it, typeOf(CHARTS)) })

    /** Changes when anything of it changes. */
    val version: String =
        hash(assets.toSortedMap().map { (name, asset) -> "$name ${asset.etag}\n" }.joinToString("").toByteArray())

    /** Its links name [version]; without chart.js it does without charts. */
    val page: Asset = Asset(pageText().toByteArray(), ContentType.Text.Html.withParameter("charset", "utf-8"))

    /** Null if there is no such asset, or not in this version. */
    fun find(
        version: String,
        name: String,
    ): Asset? = if (version == this.version) assets[name] else null

    private fun pageText(): String {
        val text = checkNotNull(read("$HOME/dashboard.html")) { "the dashboard's page is not on the class path" }.decodeToString()
        val charts = if (CHARTS in assets) "<script src=\"assets/$version/$CHARTS\" defer></script>" else ""
        return text.replace("{version}", version).replace("{charts}", charts)
    }

    private fun charts(): ByteArray? {
        val properties = read("META-INF/maven/org.webjars.npm/chart.js/pom.properties") ?: return null
        val version = Properties().apply { load(properties.inputStream()) }.getProperty("version")
        return read("META-INF/resources/webjars/chart.js/$version/dist/chart.umd.js")
    }

    private fun read(resource: String): ByteArray? = classLoader.getResourceAsStream(resource)?.use { it.readBytes() }

    private companion object {
        const val HOME = "dev/ratelimit/ktor/server/admin"
        const val CHARTS = "chart.js"
        const val HASH_DIGITS = 16
        val NAMES =
            listOf(
                "dashboard.css",
                "icon.svg",
                "main.js",
                "api.js",
                "buckets.js",
                "charts.js",
                "connection.js",
                "dialogs.js",
                "dom.js",
                "format.js",
                "rates.js",
                "rules.js",
                "switch.js",
                "totals.js",
            )

        fun typeOf(name: String): ContentType =
            when (name.substringAfterLast('.')) {
                "css" -> ContentType.Text.CSS.withParameter("charset", "utf-8")
                "svg" -> ContentType.Image.SVG
                else -> ContentType.Text.JavaScript.withParameter("charset", "utf-8")
            }

        fun hash(bytes: ByteArray): String =
            HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)).take(HASH_DIGITS)
    }
}
