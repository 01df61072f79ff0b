package dev.ratelimit.samples

import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import kotlin.io.path.name
import kotlin.io.path.writeText

class FileNamesTest :
    FunSpec({
        val dir = tempdir().toPath()

        fun picked(vararg urls: String) = FileNames(dir).run { urls.map { pick(it).name } }

        test("the name is the last part of the path") {
            picked("http://a.org/x/file.zip?v=1#top") shouldBe listOf("file.zip")
            picked("http://a.org/b%C3%BCcher%20neu.txt") shouldBe listOf("bücher neu.txt")
        }

        test("URLs are taken as servers and browsers take them") {
            picked("http://my_host/f.txt?x=a|b") shouldBe listOf("f.txt")
        }

        test("a path without a name is an index") {
            picked("http://a.org", "http://a.org/", "http://a.org/x/") shouldBe listOf("index.html", "index.1.html", "index.2.html")
        }

        test("no name leads out of the directory, hides, or disturbs a file system") {
            picked(
                "http://a.org/..",
                "http://a.org/%2e%2e%2f%2e%2e%2fpasswd",
                "http://a.org/.bashrc",
                "http://a.org/a%3Ab%5Cc%00d",
            ) shouldBe
                listOf("index.html", "passwd", "bashrc", "a_b_c_d")
            picked("http://a.org/" + "x".repeat(5000)).single().length shouldBe 60
            picked("http://a.org/" + "x".repeat(59) + "%F0%9F%94%91").single() shouldBe "x".repeat(59)
        }

        test("what is to be resumed gets the name that it had, whether it is there or not") {
            val full = tempdir().toPath()
            full.resolve("f.txt").writeText("")
            FileNames(full).pick("http://a.org/f.txt").name shouldBe "f.1.txt"
            FileNames(full, isResumed = true).run { listOf(pick("http://a.org/f.txt").name, pick("http://b.org/f.txt").name) } shouldBe
                listOf("f.txt", "f.1.txt")
        }

        test("the same name is picked once, whatever its case") {
            picked("http://a.org/f.txt", "http://b.org/F.TXT", "http://c.org/f.1.txt", "http://d.org/noext", "http://e.org/noext") shouldBe
                listOf("f.txt", "F.1.TXT", "f.1.1.txt", "noext", "noext.1")
        }
    })
