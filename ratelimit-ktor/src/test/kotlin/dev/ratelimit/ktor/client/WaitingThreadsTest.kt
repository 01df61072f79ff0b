package dev.ratelimit.ktor.client

import dev.ratelimit.jvm.perHour
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.ktor.client.HttpClient
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.request.get
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.util.concurrent.atomic.AtomicInteger

class WaitingThreadsTest :
    FunSpec({
        test("a thousand requests that wait for one host hold no thread") {
            val sent = AtomicInteger()
            val engine =
                MockEngine {
                    sent.incrementAndGet()
                    respondOk()
                }
            val one = Dispatchers.IO.limitedParallelism(1)
            HttpClient(engine) { install(HttpRequestRateLimit) { otherHosts(1.perHour) } }.use { client ->
                client.get("http://a.org/")
                val before = Thread.activeCount()
                withContext(one) {
                    val jobs = List(1_000) { launch(start = CoroutineStart.UNDISPATCHED) { client.get("http://a.org/") } }
                    // The one thread that they all run on is free: it is here.
                    sent.get() shouldBe 1
                    Thread.activeCount() - before shouldBeLessThan 20
                    jobs.forEach { it.cancelAndJoin() }
                }
                sent.get() shouldBe 1
            }
        }
    })
