package dev.ratelimit.samples

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class ByteRateTest :
    FunSpec({
        test("bytes a second are read as wget reads them") {
            val rates =
                listOf("1" to 1L, "500" to 500L, "500k" to 512_000L, "500K" to 512_000L, " 2M " to 2_097_152L, "2.5k" to 2_560L) +
                    listOf("0.001k" to 1L, "1g" to 1_073_741_824L, "1T" to 1_099_511_627_776L)
            for ((text, expected) in rates) withClue(text) { byteRate(text) shouldBe expected }
        }

        test("what is no number of bytes a second is refused, with the value and what to write") {
            fun refused(text: String) = shouldThrow<IllegalArgumentException> { byteRate(text) }.message.orEmpty()
            for (text in listOf("", "K", "fast", "-1", "+1", "1 K", "2MB", "2M/s", "1e3", ".5k", "1.", "0x10", "NaN", "1KK")) {
                withClue(text) { refused(text) shouldBe "'$text' is not a number of bytes a second; write for example 500K or 2M" }
            }
            refused("0") shouldBe "'0' is less than a byte a second; write at least 1"
            refused("0.0001k") shouldContain "less than a byte a second"
            refused("999999999999999T") shouldContain "more bytes a second than can be counted"
        }
    })
