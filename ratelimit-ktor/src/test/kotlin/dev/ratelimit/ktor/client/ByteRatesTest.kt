package dev.ratelimit.ktor.client

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class ByteRatesTest :
    FunSpec({
        fun refused(rate: () -> Any): String = shouldThrow<IllegalArgumentException> { rate() }.message.orEmpty()

        test("units are powers of 1,024, of every type of number") {
            1_000.bytesPerSecond.toString() shouldBe "1000/1s"
            64.kibibytesPerSecond.toString() shouldBe "65536/1s"
            2L.mebibytesPerSecond.permits() shouldBe 2_097_152
            3.gibibytesPerSecond.permits() shouldBe 3_221_225_472
            1.5.mebibytesPerSecond.permits() shouldBe 1_572_864
            5L.bytesPerSecond shouldBe 5.bytesPerSecond
            5.0.bytesPerSecond shouldBe 5.bytesPerSecond
            7.0.kibibytesPerSecond shouldBe 7L.kibibytesPerSecond
            7.0.gibibytesPerSecond shouldBe 7L.gibibytesPerSecond
            2.0.mebibytesPerSecond shouldBe 2.mebibytesPerSecond
            0.5.bytesPerSecond.toString() shouldBe "1/2s"
        }

        test("the burst is a tenth of a second's bytes, at least 64 KiB and at most a second's") {
            1.gibibytesPerSecond.burst() shouldBe 107_374_182
            2.mebibytesPerSecond.burst() shouldBe 209_715
            100.kibibytesPerSecond.burst() shouldBe 65_536
            1.kibibytesPerSecond.burst() shouldBe 1024
            0.1.mebibytesPerSecond.burst() shouldBe 65_536
            0.25.bytesPerSecond.burst() shouldBe 1
            1.mebibytesPerSecond.withBurst(64 * 1024).toString() shouldBe "1048576/1s burst 65536"
        }

        test("what is no rate is refused, with what to write") {
            refused { 0.bytesPerSecond } shouldContain "0.bytesPerSecond is not a positive rate; write for example 2.bytesPerSecond"
            refused { (-3).mebibytesPerSecond } shouldContain "-3.mebibytesPerSecond is not a positive rate"
            refused { Double.NaN.kibibytesPerSecond } shouldContain "NaN.kibibytesPerSecond is not a positive rate"
            refused { Double.POSITIVE_INFINITY.bytesPerSecond } shouldContain "Infinity.bytesPerSecond is not a positive rate"
            refused { (-0.5).gibibytesPerSecond } shouldContain "write for example 2.gibibytesPerSecond"
            refused { Long.MAX_VALUE.kibibytesPerSecond } shouldContain
                "is more than 64 bits can count; write at most 9007199254740991.kibi"
            Long.MAX_VALUE.bytesPerSecond.permits() shouldBe Long.MAX_VALUE
        }
    })
