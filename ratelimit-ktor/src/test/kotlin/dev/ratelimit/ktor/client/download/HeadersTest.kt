package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.http.RetryAfter
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.ktor.http.Headers
import io.ktor.http.headers
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.seconds

private const val DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
private const val HOUR_BEFORE = "Sat, 21 Nov 2026 11:00:00 GMT"

private fun of(vararg fields: Pair<String, String>): Headers = headers { fields.forEach { (name, value) -> append(name, value) } }

class HeadersTest :
    FunSpec({
        test("RFC 9110, 13.1.5: If-Range takes a strong ETag, or a date that is strong and alone, and nothing else") {
            val date = "Date" to DATE
            val modified = "Last-Modified" to HOUR_BEFORE
            val cases =
                listOf(
                    of("ETag" to "\"abc\"") to "\"abc\"",
                    of("ETag" to " \"abc\" ") to "\"abc\"",
                    of("ETag" to "\"\"") to "\"\"",
                    of("ETag" to "W/\"abc\"") to null,
                    of("ETag" to "abc") to null,
                    of("ETag" to "\"a\"b\"") to null,
                    of("ETag" to "\"ä\"") to null,
                    of(date, modified) to HOUR_BEFORE,
                    of(date, modified, "ETag" to "\"abc\"") to "\"abc\"",
                    of(date, modified, "ETag" to "W/\"abc\"") to null,
                    of(modified) to null,
                    of(date, "Last-Modified" to "Sat, 21 Nov 2026 11:59:00 GMT") to "Sat, 21 Nov 2026 11:59:00 GMT",
                    of(date, "Last-Modified" to "Sat, 21 Nov 2026 11:59:01 GMT") to null,
                    of(date, "Last-Modified" to "Sun, 22 Nov 2026 11:59:01 GMT") to null,
                    of(date, "Last-Modified" to "yesterday") to null,
                    of("Date" to "now", modified) to null,
                    of() to null,
                )
            for ((headers, expected) in cases) withClue(headers.toString()) { Validator.of(headers) shouldBe expected }
        }

        test("a part that comes with another validator is of another file") {
            Validator.contradicts(of("ETag" to "\"b\""), "\"a\"") shouldBe true
            Validator.contradicts(of("ETag" to "W/\"a\""), "\"a\"") shouldBe true
            Validator.contradicts(of("ETag" to "\"a\""), "\"a\"") shouldBe false
            Validator.contradicts(of("Last-Modified" to DATE), "\"a\"") shouldBe false
            Validator.contradicts(of("Last-Modified" to DATE), HOUR_BEFORE) shouldBe true
            Validator.contradicts(of(), HOUR_BEFORE) shouldBe false
        }

        test("Content-Range says first, last and size, or nothing at all") {
            fun parsed(text: String?) = ContentRange.parse(text)?.run { listOf(first, last, size) }
            parsed("bytes 5-9/10") shouldBe listOf(5L, 9L, 10L)
            parsed(" Bytes 5-9/* ") shouldBe listOf(5L, 9L, null)
            parsed("bytes */10") shouldBe listOf(null, null, 10L)
            val nonsense =
                listOf(null, "", "bytes", "bytes 5-9", "bytes 9-5/10", "bytes 5-10/10", "bytes -5/10", "bytes */*", "lines 1-2/3") +
                    listOf("bytes 5-9/10, 1-2/10", "bytes 5-9/99999999999999999999", "bytes 0x5-9/10")
            for (text in nonsense) withClue("$text") { parsed(text) shouldBe null }
        }

        test("Retry-After is seconds or one of three dates, by the server's clock; nonsense is not followed") {
            fun after(text: String) = RetryAfter.of(of("Date" to DATE, "Retry-After" to text))
            val cases =
                listOf(
                    "0" to Duration.ZERO,
                    "120" to 120.seconds,
                    "007" to 7.seconds,
                    "100000000000000000000" to Duration.INFINITE,
                    "-1" to null,
                    "1.5" to null,
                    "soon" to null,
                    "" to null,
                    "Sat, 21 Nov 2026 12:00:07 GMT" to 7.seconds,
                    "Saturday, 21-Nov-26 12:00:07 GMT" to 7.seconds,
                    "Sat Nov 21 12:00:07 2026" to 7.seconds,
                    "Sun, 22 Nov 2026 12:00:00 GMT" to 1.days,
                    "Tue Dec  1 12:00:00 2026" to 10.days,
                    "Friday, 21-Nov-75 12:00:00 GMT" to (49 * 365 + 12).days,
                    "Friday, 21-Nov-77 12:00:00 GMT" to Duration.ZERO,
                    "Fri, 31 Dec 9999 23:59:59 GMT" to Duration.parse("2912118d 11h 59m 59s"),
                    "Sat, 21 Nov 2026 25:00:07 GMT" to null,
                    HOUR_BEFORE to Duration.ZERO,
                )
            for ((text, expected) in cases) withClue(text) { after(text) shouldBe expected }
            RetryAfter.of(of()) shouldBe null
        }

        test("a note reads what it wrote, and no more than that") {
            val note = Note("f00", "\"abc\"", 17)
            Note.parse(note.text())!!.run { listOf(source, validator, "$size") } shouldBe listOf("f00", "\"abc\"", "17")
            for (cut in 0 until note.text().length) withClue("$cut") { Note.parse(note.text().take(cut)) shouldBe null }
            Note.parse(note.text() + "x") shouldBe null
            Note.parse("\u0000".repeat(50)) shouldBe null
            Note.parse(Note("f00", "", 17).text()) shouldBe null
        }

        test("what is secret in a URL is not shown") {
            redacted("https://me:secret@example.com/a@b?x=1") shouldBe "https://***@example.com/a@b?x=1"
            redacted("https://me@example.com/") shouldBe "https://***@example.com/"
            redacted("https://me:p@ss@example.com/") shouldBe "https://***@example.com/"
            redacted("https://a.org/f?page=2&X-Amz-Signature=abc&access_token=def#x") shouldBe
                "https://a.org/f?page=2&X-Amz-Signature=***&access_token=***#x"
            redacted("cannot reach [url=http://u:p@a.org/, x]") shouldBe "cannot reach [url=http://***@a.org/, x]"
            redacted("https://a.org/f?page=2#top") shouldBe "https://a.org/f?page=2#top"
        }
    })
