package dev.ratelimit.ktor.server.matching

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

/** The tree against what patterns mean, one by one. */
class PatternTreeTest :
    FunSpec({
        fun matches(
            segments: List<Segment>,
            path: List<String>,
            isOpen: Boolean,
        ): Boolean =
            when {
                segments.isEmpty() -> isOpen || path.isEmpty()
                path.isEmpty() -> false
                else -> {
                    val first = path[0]
                    val fits =
                        when (val segment = segments[0]) {
                            is Segment.Constant -> segment.text == first
                            is Segment.Affix -> segment.matches(first)
                            Segment.Any -> true
                        }
                    fits && matches(segments.drop(1), path.drop(1), isOpen)
                }
            }

        fun means(
            pattern: PathPattern,
            method: String,
            path: List<String>,
        ): Boolean {
            if (pattern.method != null && pattern.method != method) return false
            val starts = if (pattern.isFloating) path.indices else 0..0
            return starts.any { matches(pattern.segments, path.drop(it), pattern.isOpen) }
        }

        test("20,000 random paths among random patterns find what matches, the most specific first") {
            val random = Random(6)
            val parts = listOf("a", "b", "ab", "aab")
            repeat(200) {
                val patterns =
                    List(random.nextInt(1, 30)) {
                        val body = List(random.nextInt(0, 4)) { (parts + listOf("{x}", "a*", "*b", "*")).random(random) }
                        val method = listOf("", "", "GET:", "POST:").random(random)
                        val start = if (body.any { it in parts } && random.nextInt(4) == 0) "*/" else "/"
                        val end = if (random.nextBoolean()) "/*" else "/{end}"
                        "$method$start${body.joinToString("/")}$end"
                    }.map(PathPattern::parse).distinctBy { it.shape }.sortedWith(Specificity)
                val tree = PatternTree(patterns.map { it to it })
                repeat(100) {
                    val path = List(random.nextInt(0, 6)) { parts.random(random) }
                    val method = listOf("GET", "POST", "PUT").random(random)
                    tree.find(method, path) shouldBe patterns.filter { means(it, method, path) }
                }
            }
        }
    })
