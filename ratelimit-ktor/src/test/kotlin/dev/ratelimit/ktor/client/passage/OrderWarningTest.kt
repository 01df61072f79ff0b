package dev.ratelimit.ktor.client.passage

import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.read.ListAppender
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.client.HttpRequestRateLimit
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.string.shouldContain
import io.ktor.client.HttpClient
import io.ktor.client.HttpClientConfig
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.plugins.HttpTimeout
import io.ktor.client.request.get
import org.slf4j.LoggerFactory

class OrderWarningTest :
    FunSpec({
        suspend fun warnings(configure: HttpClientConfig<*>.() -> Unit): List<String> {
            val logger = LoggerFactory.getLogger("dev.ratelimit.ktor.client.HttpRequestRateLimit") as Logger
            val appender = ListAppender<ILoggingEvent>().apply { start() }
            logger.addAppender(appender)
            logger.isAdditive = false
            try {
                HttpClient(MockEngine { respondOk() }, configure).use { client -> repeat(3) { client.get("http://a.org/") } }
            } finally {
                logger.detachAppender(appender)
                logger.isAdditive = true
            }
            return appender.list.map { it.formattedMessage }
        }

        fun HttpClientConfig<*>.limit() = install(HttpRequestRateLimit) { otherHosts(1000.perSecond) }

        fun HttpClientConfig<*>.timeout(millis: Long?) =
            install(HttpTimeout) {
                requestTimeoutMillis = millis
                connectTimeoutMillis = 1_000
            }

        test("retry, limit, timeout is right") {
            warnings {
                install(HttpRequestRetry)
                limit()
                timeout(1_000)
            }.shouldBeEmpty()
            warnings { limit() }.shouldBeEmpty()
        }

        test("a retry inside of the limit is warned of once, with what to write") {
            val warnings =
                warnings {
                    limit()
                    install(HttpRequestRetry)
                }
            warnings shouldHaveSize 1
            warnings.single() shouldContain "write install(HttpRequestRetry) before install(HttpRequestRateLimit)"
        }

        test("a timeout of whole requests outside of the limit is warned of once, with what to write") {
            val warnings =
                warnings {
                    timeout(1_000)
                    limit()
                }
            warnings shouldHaveSize 1
            warnings.single() shouldContain "write install(HttpTimeout) after install(HttpRequestRateLimit)"
        }

        test("a timeout outside of the limit that times no whole requests is no fault") {
            warnings {
                timeout(null)
                limit()
            }.shouldBeEmpty()
        }
    })
