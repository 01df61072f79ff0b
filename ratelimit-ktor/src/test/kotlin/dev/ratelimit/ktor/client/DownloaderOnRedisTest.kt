package dev.ratelimit.ktor.client

import dev.ratelimit.jvm.perHour
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.respond
import io.lettuce.core.RedisClient
import java.io.File
import kotlin.time.Duration

/** Downloaders, as if in several processes, on a Redis of the test's own. */
class DownloaderOnRedisTest :
    FunSpec({
        test("downloaders that name the same Redis and prefix are under one limit, others are not") {
            val dir = tempdir()
            withRedis(dir) { url ->
                val failures =
                    listOf("shop:", "shop:", "shop:", "other:").mapIndexed { index, prefix ->
                        val settings =
                            DownloadSettings
                                .builder()
                                .redisUrl(url)
                                .keyPrefix(prefix)
                                .rate(2.perHour)
                                .limits { it.maxWait = Duration.ZERO }
                                .retries(0)
                                .build()
                        Downloader(settings, MockEngine { respond("content") }).use { downloader ->
                            val ended = runCatching { downloader.download("http://a.org/f", File(dir, "f$index").toPath()) }
                            (ended.exceptionOrNull() as DownloadException?)?.failure
                        }
                    }
                failures shouldBe listOf(null, null, DownloadFailure.LIMIT, null)
                RedisClient.create(url).use { client -> client.connect().sync().keys("shop:*").shouldNotBeEmpty() }
            }
        }
    })
