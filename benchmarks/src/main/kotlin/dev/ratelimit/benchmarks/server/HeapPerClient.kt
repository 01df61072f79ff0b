package dev.ratelimit.benchmarks.server

import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.benchmarks.Heap
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.server.RateLimiting
import io.ktor.server.application.install
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing

private const val CLIENTS = 1_000_000
private const val MOST_BYTES = 100.0

/** The heap of a server that a million clients have called, less that of their addresses. */
internal fun main(args: Array<String>) {
    fun address(i: Int) = "10.${i shr 16 and 255}.${i shr 8 and 255}.${i and 255}"
    val (all, server) =
        Heap.perItem(CLIENTS) {
            InstantServer {
                install(RateLimiting) {
                    store = MemoryStore(maxKeys = 2 * CLIENTS)
                    rule("/*") { perIp(100.perHour) }
                }
                routing { get("/") { call.respondText("ok") } }
            }.also { server -> repeat(CLIENTS) { server.get("/", address(it)) } }
        }
    val (keys, held) = Heap.perItem(CLIENTS) { Held(List(CLIENTS, ::address)) }
    Figure.report(args, listOf(Figure("heap for each of a million clients, beyond the address", all - keys, "B", atMost = MOST_BYTES)))
    server.close()
    held.close()
}

private class Held(
    private val texts: List<String>,
) : AutoCloseable {
    override fun close() = check(texts.isNotEmpty())
}
