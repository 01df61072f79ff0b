package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadEvent
import dev.ratelimit.ktor.client.DownloadRequest
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import java.nio.file.Path
import kotlin.time.Duration

class MailboxTest :
    FunSpec({
        val one = DownloadRequest.of("http://a.org/1", Path.of("1"))
        val other = DownloadRequest.of("http://a.org/2", Path.of("2"))

        fun progress(
            request: DownloadRequest,
            bytes: Long,
        ) = DownloadEvent.Progress(request, bytes, null, 0)

        fun said(event: DownloadEvent) =
            event.request.target.toString() + ":" + if (event is DownloadEvent.Progress) "${event.bytes}" else event.javaClass.simpleName

        test("a slow collector hears of the newest progress of each file, of all else everything, in its order, and holds up nobody") {
            runTest {
                val events =
                    eventsOf { tell ->
                        for (bytes in 0L..1000L) tell(progress(one, bytes))
                        tell(progress(other, 5))
                        tell(DownloadEvent.Retry(one, 1, Duration.ZERO, "why"))
                        tell(progress(one, 1001))
                        tell(DownloadEvent.Retry(one, 2, Duration.ZERO, "why"))
                        currentTime shouldBe 0
                    }
                events.map {
                    delay(1000)
                    said(it)
                }.toList() shouldContainExactly listOf("2:5", "1:Retry", "1:1001", "1:Retry")
            }
        }

        test("a fast collector hears everything") {
            runTest {
                val events =
                    eventsOf { tell ->
                        for (bytes in 1L..3L) {
                            tell(progress(one, bytes))
                            delay(1)
                        }
                    }
                events.map(::said).toList() shouldContainExactly listOf("1:1", "1:2", "1:3")
            }
        }

        test("the flow fails as its work does, and its work ends when nobody collects any more") {
            runTest {
                shouldThrow<ArithmeticException> { eventsOf { throw ArithmeticException("mine") }.collect() }
                val ended = CompletableDeferred<Unit>()
                eventsOf { tell ->
                    tell(progress(one, 1))
                    try {
                        awaitCancellation()
                    } finally {
                        ended.complete(Unit)
                    }
                }.first()
                ended.isCompleted shouldBe true
            }
        }
    })
