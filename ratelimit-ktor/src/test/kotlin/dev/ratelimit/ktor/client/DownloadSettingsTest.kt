package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.client.download.Engines
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.respond
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

class DownloadSettingsTest :
    FunSpec({
        fun refused(configure: DownloadSettingsBuilder.() -> Unit): String =
            shouldThrow<IllegalArgumentException> {
                Downloader(DownloadSettings.builder().apply(configure).build(), MockEngine { respond("") }).close()
            }.message.orEmpty()

        test("what cannot be meant is refused, with the value and what to write") {
            refused { rate() } shouldBe "rate has no limit; write for example rate(10.perSecond)"
            refused { parallelism(0) } shouldBe "parallelism 0 is not possible; write 1 to 1000, for example 4"
            refused { retries(-1) } shouldBe "retries -1 is negative; write 0 for none"
            refused { userAgent(" ") } shouldContain "userAgent ' ' cannot be sent; write for example"
            refused { userAgent("a\nb") } shouldContain "cannot be sent"
            refused { redisUrl("") } shouldContain "redisUrl is empty; write for example redis://localhost:6379"
            refused { connectTimeout(Duration.ZERO) } shouldBe "connectTimeout 0s is not possible; write for example 30.seconds"
            refused { socketTimeout((-1).seconds) } shouldContain "socketTimeout -1s is not possible"
            refused { keyPrefix("x:") } shouldBe "keyPrefix 'x:' is for keys in Redis; name a redisUrl, or leave it out"
            refused { store(MemoryStore()).redisUrl("redis://localhost") } shouldBe
                "the buckets cannot be in store and in redisUrl; name one place"
            refused { limits { } } shouldContain "HttpRequestRateLimit has no rule and would limit nothing"
            refused { rate(1.perSecond).limits { it.otherHosts(2.perSecond) } } shouldContain "otherHosts has the limits"
        }

        test("a missing CIO is told when the downloader is made") {
            val thrown = shouldThrow<IllegalStateException> { Engines.cio(ClassLoader.getPlatformClassLoader()) }
            thrown.message shouldContain "Downloader needs an engine; add the dependency io.ktor:ktor-client-cio-jvm, or give"
        }

        test("a Redis that cannot be reached is told when the downloader is made, without its password") {
            val settings = DownloadSettings.builder().redisUrl("redis://me:secret@127.0.0.1:1").keyPrefix("test:").build()
            shouldThrow<RateLimitStoreException> { Downloader(settings) }.message shouldContain "Redis at 127.0.0.1:1 cannot be reached"
        }

        test("downloaders that name the same file are under one limit, and host rules come with limits") {
            val dir = tempdir().toPath()
            val settings =
                DownloadSettings
                    .builder()
                    .sharedFile(dir.resolve("limits"))
                    .limits {
                        it.hosts("a.org", limit = 2.perHour)
                        it.maxWait = Duration.ZERO
                    }.retries(0)
                    .build()
            for (number in 1..3) {
                Downloader(settings, MockEngine { respond("content") }).use { downloader ->
                    val ended = runCatching { downloader.download("http://a.org/f", dir.resolve("f$number")) }
                    (ended.exceptionOrNull() as DownloadException?)?.failure shouldBe if (number < 3) null else DownloadFailure.LIMIT
                    downloader.download("http://b.org/f", dir.resolve("g$number")).bytes shouldBe 7
                }
            }
        }

        test("the default is one request a second to each host") {
            DownloadSettings.DEFAULT.run { listOf(parallelism, retries, userAgent) } shouldBe listOf(4, 3, "ratelimit-downloader")
        }
    })
