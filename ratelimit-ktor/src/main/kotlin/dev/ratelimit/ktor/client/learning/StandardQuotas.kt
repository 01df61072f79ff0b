package dev.ratelimit.ktor.client.learning

import io.ktor.http.Headers
import org.greenbytes.http.sfv.Dictionary
import org.greenbytes.http.sfv.Item
import org.greenbytes.http.sfv.ListElement
import org.greenbytes.http.sfv.NumberItem
import org.greenbytes.http.sfv.Parameters
import org.greenbytes.http.sfv.ParseException
import org.greenbytes.http.sfv.Parser
import org.greenbytes.http.sfv.StringItem
import kotlin.time.Duration.Companion.seconds

/**
 * `RateLimit: "default";r=50;t=30` with `RateLimit-Policy: "default";q=100;w=60`, and before that
 * `RateLimit: limit=100, remaining=50, reset=30`.
 */
internal object StandardQuotas {
    private const val HEADER = "RateLimit"
    private const val POLICY = "RateLimit-Policy"

    fun read(headers: Headers): List<Quota> {
        val text = headers.getAll(HEADER)?.joinToString() ?: return emptyList()
        val items = items(text)
        if (items.isEmpty() || items.any { it !is StringItem }) return listOfNotNull(ofDictionary(text))
        val policies = headers.getAll(POLICY)?.joinToString()?.let(::items).orEmpty().filterIsInstance<StringItem>().associateBy {
            it.get()
        }
        return items.filterIsInstance<StringItem>().mapNotNull { item ->
            val policy = policies[item.get()]?.params
            val remaining = item.params.whole("r") ?: return@mapNotNull null
            // Without a time the policy's window is the longest that it can be.
            val reset = item.params.whole("t") ?: policy?.whole("w") ?: return@mapNotNull null
            Quota(policy?.whole("q"), remaining, reset.seconds, HEADER)
        }
    }

    private fun items(text: String): List<ListElement<*>> =
        try {
            Parser.parseList(text).get()
        } catch (ignored: ParseException) {
            emptyList()
        }

    private fun ofDictionary(text: String): Quota? {
        val members =
            try {
                Parser.parseDictionary(text)
            } catch (ignored: ParseException) {
                return null
            }
        val remaining = members.whole("remaining") ?: return null
        val reset = members.whole("reset") ?: return null
        return Quota(members.whole("limit"), remaining, reset.seconds, HEADER)
    }

    private fun Parameters.whole(name: String): Long? = (this[name] as? NumberItem<*>)?.whole()

    private fun Dictionary.whole(name: String): Long? = (get()[name] as? NumberItem<*>)?.whole()

    private fun NumberItem<*>.whole(): Long? = (get() as? Long)?.takeIf { it >= 0 }
}
