package dev.ratelimit.ktor.client

import io.kotest.assertions.nondeterministic.eventually
import redis.embedded.RedisExecProvider
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import kotlin.time.Duration.Companion.seconds

/** A Redis of the test's own on a free port of 127.0.0.1, for as long as [test] runs; it writes nothing but to [dir]. */
internal suspend fun withRedis(
    dir: File,
    port: Int = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort },
    vararg more: String,
    test: suspend (url: String) -> Unit,
) {
    val server = RedisExecProvider.defaultProvider().get().toString()
    val options = listOf("--port", "$port", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "$dir")
    val quiet = ProcessBuilder.Redirect.DISCARD
    val redis = ProcessBuilder(listOf(server) + options + more).redirectErrorStream(true).redirectOutput(quiet).start()
    try {
        eventually(30.seconds) { Socket(InetAddress.getLoopbackAddress(), port).close() }
        test("redis://127.0.0.1:$port")
    } finally {
        redis.destroyForcibly().waitFor()
    }
}
