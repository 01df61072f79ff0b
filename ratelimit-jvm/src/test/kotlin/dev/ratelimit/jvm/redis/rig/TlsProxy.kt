package dev.ratelimit.jvm.redis.rig

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.Socket
import java.nio.file.Files
import java.security.KeyStore
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import kotlin.concurrent.thread

/** A certificate of its own making, for this name, and a store of those who trust it. */
internal class Certificate(
    subjectAlternativeName: String = "ip:${Ports.HOST}",
) : AutoCloseable {
    private val dir = Files.createTempDirectory("ratelimit-tls").toFile()
    private val keys = File(dir, "keys.p12")

    /** Trusts this certificate and no other. */
    val trust = File(dir, "trust.p12")

    init {
        val keytool = File(System.getProperty("java.home"), "bin/keytool").path
        val store = listOf("-keystore", keys.path, "-storetype", "PKCS12", "-storepass", PASSWORD)
        val made = listOf("-keyalg", "EC", "-alias", ALIAS, "-dname", "CN=test", "-ext", "san=$subjectAlternativeName", "-validity", "2")
        val process = ProcessBuilder(listOf(keytool, "-genkeypair") + store + made).redirectErrorStream(true).start()
        val said = process.inputStream.bufferedReader().readText()
        check(process.waitFor(SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0) { said }
        val trusting = KeyStore.getInstance("PKCS12").apply { load(null, null) }
        trusting.setCertificateEntry(ALIAS, keyStore().getCertificate(ALIAS))
        trust.outputStream().use { trusting.store(it, PASSWORD.toCharArray()) }
    }

    fun context(): SSLContext {
        val managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm())
        managers.init(keyStore(), PASSWORD.toCharArray())
        return SSLContext.getInstance("TLS").apply { init(managers.keyManagers, null, null) }
    }

    private fun keyStore() =
        KeyStore.getInstance("PKCS12").also { store -> keys.inputStream().use { store.load(it, PASSWORD.toCharArray()) } }

    override fun close() {
        dir.deleteRecursively()
    }

    companion object {
        const val PASSWORD = "of-a-test"
        private const val ALIAS = "redis"
        private const val SECONDS = 60L
    }
}

/** Speaks TLS on a port of its own, and in plain words to the server behind it. */
internal class TlsProxy(
    private val targetPort: Int,
    certificate: Certificate,
) : AutoCloseable {
    private val listener = certificate.context().serverSocketFactory.createServerSocket(0, BACKLOG, InetAddress.getByName(Ports.HOST))
    private val open = ConcurrentHashMap.newKeySet<Socket>()

    val uri: String get() = "rediss://${Ports.HOST}:${listener.localPort}"

    init {
        thread(isDaemon = true, name = "tls-proxy") { serve() }
    }

    /** The server and its clients see their connections close. */
    fun closeAll() = open.forEach(Socket::close)

    override fun close() {
        listener.close()
        closeAll()
    }

    private fun serve() {
        while (true) {
            val client =
                try {
                    listener.accept()
                } catch (ignored: IOException) {
                    return
                }
            open += client
            val server = Socket(Ports.HOST, targetPort)
            open += server
            pass(client, server)
            pass(server, client)
        }
    }

    /** Until one end closes, or does not like the other's certificate; then both close. */
    private fun pass(
        from: Socket,
        to: Socket,
    ) {
        thread(isDaemon = true, name = "tls-proxy-link") {
            try {
                copy(from.getInputStream(), to.getOutputStream())
            } catch (ignored: IOException) {
                // The end of this connection.
            } finally {
                listOf(from, to).forEach {
                    open -= it
                    it.close()
                }
            }
        }
    }

    private fun copy(
        from: InputStream,
        to: OutputStream,
    ) {
        val buffer = ByteArray(BUFFER)
        while (true) {
            val size = from.read(buffer)
            if (size < 0) return
            to.write(buffer, 0, size)
            to.flush()
        }
    }

    private companion object {
        const val BACKLOG = 50
        const val BUFFER = 8_192
    }
}
