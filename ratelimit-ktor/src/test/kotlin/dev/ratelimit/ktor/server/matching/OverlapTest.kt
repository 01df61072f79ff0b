package dev.ratelimit.ktor.server.matching

import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.server.limited
import dev.ratelimit.ktor.server.rateLimiting
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.random.Random

/** Of two rules about one call, one has to be the more specific. */
class OverlapTest :
    FunSpec({
        fun overlap(
            one: String,
            other: String,
        ) = Overlap.of(PathPattern.parse(one), PathPattern.parse(other))

        test("the shortest path that both are about") {
            overlap("*/a/*", "*/b/*") shouldBe "/a/b"
            overlap("*/a", "*/b") shouldBe null
            overlap("/a/*", "*/b") shouldBe "/a/b"
            overlap("/a/{x}", "/{y}/b") shouldBe "/a/b"
            overlap("/a/{x}/*", "/{y}/b/c") shouldBe "/a/b/c"
            overlap("/*", "/") shouldBe "/"
            overlap("/{x}", "/{x}/{y}") shouldBe null
            overlap("GET:/a", "POST:/a") shouldBe null
            overlap("GET:/a", "*:/a") shouldBe "/a"
            overlap("/a-{x}", "/{x}-b") shouldBe "/a-x-b"
            overlap("/a-{x}", "/b-{x}") shouldBe null
            overlap("/a-{x}", "/a-1") shouldBe "/a-1"
        }

        test("what is found matches both, and what is not found nothing matches (20,000 random pairs)") {
            val random = Random(11)
            val parts = listOf("a", "b", "{x}", "a{x}", "{x}b", "ab")
            val words = listOf("a", "b", "ab", "aab", "c")
            val paths = (0..4).flatMap { length -> words(words, length) }

            fun pattern(): String {
                val inner = List(random.nextInt(3)) { parts.random(random) } + listOf("a", "b").random(random)
                return (if (random.nextBoolean()) "*/" else "/") + inner.joinToString("/") + if (random.nextBoolean()) "/*" else ""
            }
            repeat(20_000) {
                val (one, other) = List(2) { PathPattern.parse(pattern()) }
                val trees = listOf(one, other).map { PatternTree(listOf(it to it)) }

                fun isOfBoth(path: List<String>) = trees.all { it.find("GET", path).isNotEmpty() }
                val path = Overlap.of(one, other)
                withClue("$one and $other: $path") {
                    val found = path?.split('/')?.filter { it.isNotEmpty() }
                    (if (found == null) paths.none(::isOfBoth) else isOfBoth(found)) shouldBe true
                }
            }
        }

        test("a server with rules that cannot be told apart does not start, unless both are to rule") {
            val failure =
                shouldThrow<Exception> {
                    limited({
                        rule("*/api/*") { perIp(1.perHour) }
                        rule("*/admin/*") { perIp(2.perHour) }
                    }) { }
                }
            val messages = generateSequence<Throwable>(failure) { it.cause }.map { it.message.orEmpty() }.toList()
            messages.firstOrNull { "'*/api/*'" in it }.shouldNotBeNull() shouldContain "'*/admin/*' are both about '/api/admin'"
            limited({
                for (name in listOf("api", "admin")) {
                    rule("*/$name/*") {
                        global(9.perHour)
                        fallThrough = true
                    }
                }
            }) {
                get("/api/admin/x")
                val left = listOf("*/api/*", "*/admin/*").map { application.rateLimiting.peek(it, "global", null)[0].remaining() }
                left shouldBe listOf(8, 8)
            }
        }
    })

private fun words(
    words: List<String>,
    length: Int,
): List<List<String>> = if (length == 0) listOf(emptyList()) else words(words, length - 1).flatMap { path -> words.map { path + it } }
