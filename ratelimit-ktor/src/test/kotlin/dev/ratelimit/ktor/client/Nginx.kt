package dev.ratelimit.ktor.client

import java.io.File
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteRecursively
import kotlin.io.path.writeText

/** An nginx of our own on a free port: a server with a rate limit that nobody here wrote. */
@OptIn(ExperimentalPathApi::class)
internal class Nginx private constructor(
    val port: Int,
    private val dir: Path,
    private val process: Process,
) : AutoCloseable {
    override fun close() {
        process.destroy()
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
        dir.deleteRecursively()
    }

    companion object {
        private const val STOP_SECONDS = 5L
        private const val START_MILLIS = 10_000L

        val binary: File? =
            (System.getenv("PATH").orEmpty().split(File.pathSeparator) + "/usr/sbin").map {
                File(it, "nginx")
            }.firstOrNull { it.canExecute() }

        /** @param limit the arguments of limit_req, beside its zone */
        fun start(
            rate: String,
            limit: String,
        ): Nginx {
            val dir = Files.createTempDirectory("ratelimit-nginx")
            val port = ServerSocket(0).use { it.localPort }
            dir.resolve("nginx.conf").writeText(
                """
                daemon off; master_process off; pid $dir/pid; error_log stderr warn;
                events { }
                http {
                    access_log off;
                    client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/fastcgi;
                    uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
                    limit_req_zone ${'$'}binary_remote_addr zone=all:1m rate=$rate;
                    server {
                        listen 127.0.0.1:$port;
                        location / { limit_req zone=all $limit; limit_req_status 429; default_type text/plain; root $dir; index page; }
                    }
                }
                """.trimIndent(),
            )
            dir.resolve("page").writeText("page")
            val process = ProcessBuilder(
                "$binary",
                "-p",
                "$dir",
                "-c",
                "$dir/nginx.conf",
            ).redirectErrorStream(true).redirectOutput(dir.resolve("log").toFile()).start()
            val nginx = Nginx(port, dir, process)
            val end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS)
            while (!isUp(port)) {
                check(process.isAlive && System.nanoTime() < end) {
                    "nginx did not start: ${dir.resolve("log").toFile().readText()}".also { nginx.close() }
                }
                Thread.onSpinWait()
            }
            return nginx
        }

        private fun isUp(port: Int) = runCatching { Socket("127.0.0.1", port).close() }.isSuccess
    }
}
