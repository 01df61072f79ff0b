package dev.ratelimit.ktor.server.admin

import io.ktor.http.BadContentTypeFormatException
import io.ktor.http.ContentType
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.request.contentLength
import io.ktor.server.request.contentType
import io.ktor.server.request.receiveChannel
import io.ktor.utils.io.readRemaining
import kotlinx.io.readByteArray
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull

/**
 * The fields of a small JSON object that was sent.
 *
 * @param example what to write, told with each error
 */
internal class Fields private constructor(
    private val json: JsonObject,
    private val example: String,
) {
    fun text(name: String): String = textOrNull(name) ?: throw bad("field '$name' is missing")

    fun textOrNull(name: String): String? {
        val value = json[name] as? JsonPrimitive
        if (value == null || value is JsonNull) return null
        return if (value.isString) value.content else throw bad("field '$name' is $value, which is no text")
    }

    fun flag(name: String): Boolean =
        (json[name] as? JsonPrimitive)?.takeUnless { it.isString }?.booleanOrNull ?: throw bad("field '$name' is neither true nor false")

    private fun bad(what: String) = Problem.badRequest("$what; write for example $example")

    companion object {
        /** Far more than the longest key needs. */
        private const val MOST_BYTES = 16 * 1024

        /** Refuses what a form of another site can send without asking, what is too long, and what is not understood. */
        suspend fun of(
            call: ApplicationCall,
            known: Set<String>,
            example: String,
        ): Fields {
            checkType(call)
            val json =
                parse(text(call)) as? JsonObject ?: throw Problem.badRequest("the body is no flat JSON object; write for example $example")
            val unknown = json.keys - known
            if (unknown.isNotEmpty()) throw Problem.badRequest("field '${unknown.first()}' is not known; write for example $example")
            return Fields(json, example)
        }

        private fun checkType(call: ApplicationCall) {
            val type =
                try {
                    call.request.contentType().withoutParameters()
                } catch (_: BadContentTypeFormatException) {
                    ContentType.Any
                }
            if (type != ContentType.Application.Json) {
                throw Problem(HttpStatusCode.UnsupportedMediaType, "content type '$type' is not accepted; send application/json")
            }
        }

        private suspend fun text(call: ApplicationCall): String {
            val tooLong = Problem(HttpStatusCode.PayloadTooLarge, "the body is longer than $MOST_BYTES bytes; send fewer")
            if ((call.request.contentLength() ?: 0) > MOST_BYTES) throw tooLong
            val bytes = call.receiveChannel().readRemaining(MOST_BYTES + 1L).readByteArray()
            if (bytes.size > MOST_BYTES) throw tooLong
            return bytes.decodeToString()
        }

        private fun parse(text: String): JsonElement? =
            try {
                if (isNested(text)) null else Json.parseToJsonElement(text)
            } catch (_: SerializationException) {
                null
            }

        /** The parser goes down into nested values until its stack overflows; here nothing is nested. */
        private fun isNested(text: String): Boolean {
            var opened = 0
            var isInString = false
            var isEscaped = false
            for (char in text) {
                if (!isInString && (char == '{' || char == '[')) opened++
                if (char == '"' && !isEscaped) isInString = !isInString
                isEscaped = isInString && char == '\\' && !isEscaped
            }
            return opened > 1
        }
    }
}
