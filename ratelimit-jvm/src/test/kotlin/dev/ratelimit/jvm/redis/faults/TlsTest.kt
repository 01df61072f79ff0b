package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.redis.rig.Certificate
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.TlsProxy
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisClient
import io.lettuce.core.SslOptions

/** Redis behind TLS, with a certificate that only the user's own client trusts. */
internal class TlsTest :
    FunSpec({
        val server = RedisServer()
        val certificate = Certificate()
        val proxy = TlsProxy(server.port, certificate)
        afterSpec {
            proxy.close()
            certificate.close()
            server.close()
        }

        fun trusting(uri: String) =
            RedisClient.create(uri).apply {
                val ssl = SslOptions.builder().jdkSslProvider().truststore(certificate.trust, Certificate.PASSWORD)
                options = ClientOptions.builder().sslOptions(ssl.build()).build()
            }

        test("a store on a client that trusts the certificate decides, and does again after its connections were lost") {
            trusting(proxy.uri).use { client ->
                val outages = Outages()
                storeOn(client, FailurePolicy.raise()) { listener(outages) }.use { store ->
                    store.take(3).isAllowed shouldBe true
                    server.used() shouldBe 3
                    proxy.closeAll()
                    awaitThat("the outage is known") { outages.began.size == 1 }
                    awaitThat("the server is asked again") { store.serves() }
                    server.used() shouldBe 4
                }
            }
        }

        test("a certificate that nobody trusts is named as the reason, with the remedy") {
            val failure = shouldThrow<RateLimitStoreException> { storeAt(proxy.uri) }
            failure.message shouldContain "certificate"
            failure.message shouldContain "SslOptions"
            failure.message shouldContain proxy.uri.removePrefix("rediss://")
        }

        test("a certificate for another host is no better") {
            Certificate("dns:elsewhere.invalid").use { other ->
                TlsProxy(server.port, other).use { wrong ->
                    val client =
                        RedisClient.create(wrong.uri).apply {
                            val ssl = SslOptions.builder().jdkSslProvider().truststore(other.trust, Certificate.PASSWORD)
                            options = ClientOptions.builder().sslOptions(ssl.build()).build()
                        }
                    client.use { shouldThrow<RateLimitStoreException> { storeOn(it) }.message shouldContain "certificate" }
                }
            }
        }

        test("plain words to a port that speaks TLS: an error that says to check TLS") {
            shouldThrow<RateLimitStoreException> { storeAt(proxy.uri.replace("rediss", "redis")) }.message shouldContain "rediss://"
        }
    })
