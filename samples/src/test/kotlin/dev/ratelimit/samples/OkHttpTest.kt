package dev.ratelimit.samples

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.samples.java.OkHttp
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import okhttp3.OkHttpClient
import okhttp3.Request
import java.util.concurrent.TimeUnit

class OkHttpTest :
    FunSpec({
        test("more calls than the dispatcher has threads may wait for one host, and those to another go through") {
            val limit = OkHttp.RateLimitInterceptor(RateLimiters.keyed("hosts", RateLimit.perHour(1.0)))
            val client = OkHttpClient.Builder().addInterceptor(limit).build()
            LocalServer.start().use { server ->
                fun request(host: String) = Request.Builder().url("${server.page("/x")}".replace("127.0.0.1", host)).build()
                val waiting = List(200) { limit.enqueue(client, request("127.0.0.1")) }
                val other = limit.enqueue(client, request("localhost"))
                other.get(60, TimeUnit.SECONDS).use { it.code shouldBe 200 }
                waiting.forEach { it.cancel(false) }
            }
            client.dispatcher.executorService.shutdown()
        }
    })
