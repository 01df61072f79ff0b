package dev.ratelimit.jvm.shared

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.concurrent.thread

class WordsTest :
    FunSpec({
        test("a word that others change all the time is there, whatever it changes to") {
            for (other in longArrayOf(5, -1, Long.MIN_VALUE)) {
                val words = Words(ByteBuffer.allocateDirect(Layout.WORD))
                val hasEnded = AtomicBoolean()
                val changing =
                    thread {
                        while (!hasEnded.get()) {
                            words.set(0, other)
                            words.set(0, 0)
                        }
                    }
                try {
                    (1..2_000_000).count { !words.isThere(0) } shouldBe 0
                } finally {
                    hasEnded.set(true)
                    changing.join()
                }
            }
        }
    })
