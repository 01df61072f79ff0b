package dev.ratelimit.samples

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.string.shouldContain
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.toPath

/** Each sample, and a line that it prints when all goes well. */
private val SAMPLES =
    mapOf(
        "kotlin.AlgorithmsKt" to "1/10s: 1 of 8",
        "kotlin.DownloadFilesKt" to "the last one says: page /4",
        "kotlin.EnvironmentKt" to "alice: 89 left",
        "kotlin.KtorClientKt" to "at least 300 ms",
        "kotlin.KtorServerKt" to "six logins: [200, 200, 200, 200, 200, 429]\nfree-1: 10 of 60 searches\npremium-1: 60 of 60 searches",
        "kotlin.LearningClientKt" to "Retry-After asks for",
        "kotlin.PerUserKt" to "bob: yes",
        "kotlin.RedisKt" to "of 10 calls",
        "kotlin.RetryKt" to "in the end: page /",
        "kotlin.ScraperKt" to "three permits",
        "kotlin.SeveralLimitsKt" to "refused by 12/1h",
        "kotlin.SharedFileKt" to "8 of 10 calls, of both together\nlater: no",
        "kotlin.SharedLimitersKt" to "now [5/1s, 1000/1h]",
        "kotlin.TokensOfAModelKt" to "in debt: refused",
        "kotlin.WrappingKt" to "[eno, owt, eerht, ruof]",
        "java.Blocking" to "not in 30 seconds, but in 60 minutes",
        "java.Decorating" to "page /a and page /a",
        "java.Downloads" to "report.txt: page /report",
        "java.Futures" to "14 pages, the last one is 'page /13'",
        "java.InMemory" to "next: ",
        "java.JdkHttpClient" to "5 pages in at least 200 ms: true",
        "java.OkHttp" to "page /last, in at least 200 ms: true",
        "java.PerUser" to "bob: true",
        "java.Redis" to "alice: ",
        "java.Retry" to "in the end: page /",
        "java.SharedFile" to "alice: 89 left, for all processes together",
        "java.SharedLimiters" to "now [5/1s]",
        "java.TokensOfAModel" to "155 tokens used",
    )

/** Runs each sample as its user would: through `main`. */
class SamplesTest :
    FunSpec({
        fun outputOf(sample: String): String {
            val main = Class.forName("dev.ratelimit.samples.$sample").getMethod("main", Array<String>::class.java)
            val out = ByteArrayOutputStream()
            val before = System.out
            System.setOut(PrintStream(out, true, Charsets.UTF_8))
            try {
                main.invoke(null, emptyArray<String>())
            } finally {
                System.setOut(before)
            }
            return out.toString(Charsets.UTF_8)
        }

        SAMPLES.forEach { (sample, line) -> test("$sample says '$line'") { outputOf(sample) shouldContain line } }

        test("there is no other sample") {
            val classes: Path = LocalServer::class.java.protectionDomain.codeSource.location.toURI().toPath().resolve(
                "dev/ratelimit/samples",
            )
            val programs =
                listOf("kotlin", "java").flatMap { language ->
                    classes.resolve(language).listDirectoryEntries("*.class").map { "$language.${it.name.removeSuffix(".class")}" }
                }.filter { name -> Class.forName("dev.ratelimit.samples.$name").methods.any { it.name == "main" } }
            programs shouldContainExactlyInAnyOrder SAMPLES.keys
        }
    })
