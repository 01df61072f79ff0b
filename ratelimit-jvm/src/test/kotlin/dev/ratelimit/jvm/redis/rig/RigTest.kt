package dev.ratelimit.jvm.redis.rig

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeUnique
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import io.lettuce.core.RedisCommandTimeoutException
import io.lettuce.core.RedisConnectionException
import java.io.File
import java.nio.file.Files
import java.util.concurrent.TimeUnit
import java.util.stream.IntStream
import kotlin.time.Duration.Companion.milliseconds

/** The servers that the store's tests run on, seen to do what they say. The other rigs have tests of their own beside this one. */
internal class RigTest :
    FunSpec({
        test("a killed server refuses connections and comes back at its port with nothing in it") {
            RedisServer().use { server ->
                connected(server.uri) { it.sync().set("key", "value") }
                server.ask { get("key") } shouldBe "value"
                val port = server.port
                server.kill()
                server.isAlive shouldBe false
                shouldThrow<RedisConnectionException> { connected(server.uri) { it.sync().ping() } }
                server.restart()
                server.port shouldBe port
                server.ask { get("key") }.shouldBeNull()
            }
        }

        test("a client that reconnects meets the restarted server") {
            RedisServer().use { server ->
                connected(server.uri, reconnect = true) { connection ->
                    connection.sync().ping() shouldBe "PONG"
                    server.restart()
                    awaitThat("the client is back") { connection.sync().ping() == "PONG" }
                }
            }
        }

        test("a paused server keeps its connections and answers once it goes on") {
            RedisServer().use { server ->
                connected(server.uri, 200.milliseconds) { connection ->
                    server.pause()
                    shouldThrow<RedisCommandTimeoutException> { connection.sync().ping() }
                    connection.isOpen shouldBe true
                    server.resume()
                    awaitThat("the server goes on") { connection.sync().ping() == "PONG" }
                }
            }
        }

        test("a paused server can be killed") {
            val server = RedisServer()
            server.pause()
            server.close()
            server.isAlive shouldBe false
        }

        test("a server with a password lets in who knows it") {
            RedisServer("--requirepass", "secret").use { server ->
                connected("redis://:secret@127.0.0.1:${server.port}") { it.sync().ping() } shouldBe "PONG"
                shouldThrow<RedisConnectionException> { connected("redis://:wrong@127.0.0.1:${server.port}") { it.sync().ping() } }
            }
        }

        test("users can be given as options or as a file") {
            val asOptions = arrayOf("--user", "default", "off", "--user", "app", "on", ">secret", "~*", "+@all")
            val file = Files.createTempFile("users", ".acl").toFile().apply {
                writeText("user default off\nuser app on >secret ~* +@all\n")
            }
            for (options in listOf(asOptions, arrayOf("--aclfile", file.path))) {
                RedisServer(*options).use { server ->
                    connected("redis://app:secret@127.0.0.1:${server.port}") { it.sync().ping() } shouldBe "PONG"
                    shouldThrow<RedisConnectionException> { connected(server.uri) { it.sync().ping() } }
                }
            }
            file.delete() shouldBe true
        }

        test("an option that the server does not know fails the start with what it says") {
            shouldThrow<IllegalStateException> { RedisServer("--no-such-option", "1") }.message shouldContain "no-such-option"
        }

        test("servers started at the same time have ports of their own") {
            val servers = IntStream.range(0, 8).parallel().mapToObj { RedisServer() }.toList()
            servers.map { it.port }.shouldBeUnique()
            servers.map { server -> server.ask { info("server") }.field("process_id") } shouldBe servers.map { "${it.pid}" }
            servers.forEach(RedisServer::close)
        }

        test("a port that somebody took meanwhile is given up for another") {
            RedisServer().use { other ->
                var tries = 0
                val log = Files.createTempFile("rig", ".log").toFile()
                val process =
                    ServerProcess.onFreePort { free ->
                        val port = if (tries++ == 0) other.port else free
                        ServerProcess.start(listOf(RedisBinaries.default, "--port", "$port", "--bind", Ports.HOST, "--save", ""), port, log)
                    }
                process.port shouldNotBe other.port
                tries shouldBe 2
                process.kill()
                log.delete()
            }
        }

        for (variant in ServerVariants.all) {
            test("a server of the kind ${variant.name} answers") {
                variant.start().use { server -> connected(server.uri) { it.sync().ping() } shouldBe "PONG" }
            }
        }

        if (RedisBinaries.of("6.2") != null) {
            test("the oldest server is a 6.2") {
                checkNotNull(RedisServer.oldest()).use { server ->
                    server.ask { info("server") }.field("redis_version") shouldStartWith
                        "6.2."
                }
            }
        }

        if (Spawner.endsItsOwn) {
            test("a server ends with its JVM, even with one that is killed") {
                val dir = Files.createTempDirectory("rig").toFile()
                val java = File(System.getProperty("java.home"), "bin/java").path
                val path = System.getProperty("java.class.path")
                val command = listOf(java, "-Djava.io.tmpdir=$dir", "-cp", path, OrphanMaker::class.java.name)
                val parent = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
                val pid = parent.inputReader().readLine().toLong()
                val orphan = ProcessHandle.of(pid).get()
                orphan.isAlive shouldBe true
                parent.destroyForcibly().waitFor()
                orphan.onExit().get(10, TimeUnit.SECONDS).isAlive shouldBe false
                dir.deleteRecursively() shouldBe true
            }
        }
    })

/** Starts a server, tells its process and waits to be killed. */
internal object OrphanMaker {
    @JvmStatic
    fun main(args: Array<String>) {
        println(RedisServer(*args).pid)
        System.out.flush()
        Thread.currentThread().join()
    }
}
