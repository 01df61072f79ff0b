package dev.ratelimit.ktor.server

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe

class RateLimitAdminConfigTest :
    FunSpec({
        val config = RateLimitAdminConfig()

        test("a prefix is a path of fixed segments") {
            for (prefix in listOf("", "/", "limits", "/limits/", "//limits", "/{limits}", "/a/../b", "/a b", "/limits?x", "/*")) {
                shouldThrow<IllegalArgumentException> { config.prefix = prefix }.message shouldBe
                    "prefix '$prefix' is not a path of letters, digits, '-' and '_'; write for example \"/rate-limits\""
            }
            config.prefix shouldBe "/rate-limits"
            config.prefix = "/ops/rate_limits-2"
            config.prefix shouldBe "/ops/rate_limits-2"
        }

        test("a challenge can stand in a header") {
            for (challenge in listOf("", " ", "Basic\r\nX: y", "Basic realm=\"…\"")) {
                shouldThrow<IllegalArgumentException> { config.challenge = challenge }.message shouldBe
                    "challenge '$challenge' cannot stand in a header; write for example \"Basic realm=\\\"rate limits\\\"\", or null for none"
            }
            config.challenge shouldBe null
        }

        test("the number of streams is not negative") {
            shouldThrow<IllegalArgumentException> { config.maxStreams = -1 }.message shouldBe
                "maxStreams -1 is negative; write 1 or more, or 0 for no streams"
        }
    })
