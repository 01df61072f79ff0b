package dev.ratelimit.jvm.shared

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** SipHash-2-4 of 128 bits gives what its authors' implementation gives: vectors_sip128, of the key 00 to 0f and the input 00, 01, … */
internal class SipHash128Test :
    FunSpec({
        test("the vectors of the reference implementation, whole and in blocks") {
            for ((length, expected) in VECTORS) {
                val input = ByteArray(length) { it.toByte() }
                for (blocks in 0..length / Layout.WORD) {
                    val hash = SipHash128(0x0706050403020100, 0x0f0e0d0c0b0a0908)
                    val bytes = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN)
                    repeat(blocks) { hash.add(bytes.getLong()) }
                    val tag = hash.copy().finish(input.copyOfRange(blocks * Layout.WORD, length))
                    withClue("$length bytes, $blocks of them in blocks") { tag.hex() shouldBe expected }
                }
            }
        }
    })

private fun KeyTag.hex(): String {
    val bytes = ByteBuffer.allocate(2 * Layout.WORD).order(ByteOrder.LITTLE_ENDIAN).putLong(first).putLong(second)
    return bytes.array().joinToString("") { "%02x".format(it) }
}

private val VECTORS =
    mapOf(
        0 to "a3817f04ba25a8e66df67214c7550293",
        1 to "da87c1d86b99af44347659119b22fc45",
        2 to "8177228da4a45dc7fca38bdef60affe4",
        3 to "9c70b60c5267a94e5f33b6b02985ed51",
        4 to "f88164c12d9c8faf7d0f6e7c7bcd5579",
        5 to "1368875980776f8854527a07690e9627",
        6 to "14eeca338b208613485ea0308fd7a15e",
        7 to "a1f1ebbed8dbc153c0b84aa61ff08239",
        8 to "3b62a9ba6258f5610f83e264f31497b4",
        9 to "264499060ad9baabc47f8b02bb6d71ed",
        10 to "00110dc378146956c95447d3f3d0fbba",
        11 to "0151c568386b6677a2b4dc6f81e5dc18",
        12 to "d626b266905ef35882634df68532c125",
        13 to "9869e247e9c08b10d029934fc4b952f7",
        14 to "31fcefac66d7de9c7ec7485fe4494902",
        15 to "5493e99933b0a8117e08ec0f97cfc3d9",
        16 to "6ee2a4ca67b054bbfd3315bf85230577",
        17 to "473d06e8738db89854c066c47ae47740",
        23 to "c9d184ddd5a9f5e0cf8ce29a9abf691c",
        24 to "2db479ae78bd50d8882a8a178a6132ad",
        31 to "2939b0183223fafc1723de4f52c43d35",
        32 to "7c3956ca5eeafc3e363e9d556546eb68",
        40 to "df6a301e95c95dad97ae0cc8c6913bd8",
        47 to "e61c432b720b19d18ec8d84bdc63151b",
        48 to "f7e5aef549f782cf379055a608269b16",
        56 to "1938f2cf72d54ee97e94166fa91d2a36",
        62 to "5853542321f567a005d547a4f04759bd",
        63 to "5150d1772f50834a503e069a973fbd7c",
    )
