package dev.ratelimit.benchmarks.client

import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.benchmarks.Heap
import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.client.HttpRequestRateLimit
import io.ktor.client.HttpClient
import io.ktor.client.request.get
import kotlinx.coroutines.runBlocking

private const val HOSTS = 10_000
private const val MOST_BYTES = 1024.0

/** The heap of a client that has asked many hosts, less that of one that has asked them without limits. */
internal fun main(args: Array<String>) =
    runBlocking {
        suspend fun asked(client: HttpClient) = client.also { repeat(HOSTS) { i -> it.get("http://host$i.example/") } }

        val limited = HttpClient(InstantEngine()) { install(HttpRequestRateLimit) { otherHosts(100.perHour) } }
        val plain = HttpClient(InstantEngine())
        val (with, keptWith) = Heap.perItem(HOSTS) { runBlocking { asked(limited) } }
        val (without, keptWithout) = Heap.perItem(HOSTS) { runBlocking { asked(plain) } }
        Figure.report(args, listOf(Figure("heap for each of 10,000 hosts", with - without, "B", atMost = MOST_BYTES)))
        keptWith.close()
        keptWithout.close()
    }
