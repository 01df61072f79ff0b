package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.server.address.Addresses
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/** Who is believed to be the client (javalin#1142, express-rate-limit#234 and #667, arc-1#330). */
class ClientAddressTest :
    FunSpec({
        for (engine in engines) {
            val name = engine.javaClass.simpleName

            suspend fun limited(
                configure: RateLimitingConfig.() -> Unit,
                test: suspend Rig.() -> Unit,
            ) = limited(configure, anything, engine, test = test)

            /** The keys of the buckets that were charged, by one call with each of [headers]. */
            suspend fun keys(
                configure: RateLimitingConfig.() -> Unit,
                vararg headers: List<Pair<String, String>>,
            ): List<String> {
                val keys = mutableListOf<String>()
                limited({
                    configure()
                    rule("/*") { perIp(1.perHour) }
                }) {
                    for (header in headers) {
                        get("/", *header.toTypedArray()).status shouldBe 200
                        val candidates = CANDIDATES.filter { application.rateLimiting.peek("/*", "ip", it)[0].remaining() == 0L }
                        keys += candidates.joinToString()
                        candidates.forEach { application.rateLimiting.reset("/*", "ip", it) }
                    }
                }
                return keys
            }

            fun forwardedFor(vararg lines: String) = lines.map { "X-Forwarded-For" to it }

            test("$name: nobody is believed who was not trusted") {
                val claims = arrayOf(forwardedFor("1.2.3.4"), listOf("Forwarded" to "for=1.2.3.4"), listOf("X-Real-IP" to "1.2.3.4"))
                keys({}, *claims) shouldContainExactly List(3) { "127.0.0.1" }
                keys({ trustedProxies("10.0.0.0/8") }, forwardedFor("1.2.3.4")) shouldContainExactly listOf("127.0.0.1")
            }

            test("$name: of X-Forwarded-For, the rightmost that is no trusted proxy counts, whatever the client wrote left of it") {
                keys(
                    { trustedProxies("127.0.0.0/8", "10.0.0.0/8") },
                    forwardedFor("1.2.3.4"),
                    forwardedFor("6.6.6.6, 1.2.3.4"),
                    forwardedFor("6.6.6.6, 1.2.3.4, 10.0.0.1"),
                    forwardedFor("6.6.6.6", "1.2.3.4, 10.0.0.1", "10.0.0.2"),
                    forwardedFor("10.9.9.9, 10.0.0.1"),
                ) shouldContainExactly listOf("1.2.3.4", "1.2.3.4", "1.2.3.4", "1.2.3.4", "10.9.9.9")
            }

            test("$name: ports are no part of an address") {
                keys(
                    { trustedProxies("127.0.0.1") },
                    forwardedFor("1.2.3.4:5678"),
                    forwardedFor("[2001:db8:1:2::3]:5678"),
                    forwardedFor("[2001:db8:1:2::3]"),
                ) shouldContainExactly listOf("1.2.3.4", "2001:db8:1:2::/64", "2001:db8:1:2::/64")
            }

            test("$name: IPv4 in IPv6 is IPv4, and a network of IPv6 is one client") {
                keys(
                    { trustedProxies("127.0.0.1") },
                    forwardedFor("::ffff:1.2.3.4"),
                    forwardedFor("::ffff:102:304"),
                    forwardedFor("2001:DB8:1:2:aaaa::1"),
                    forwardedFor("2001:0db8:0001:0002:0:0:0:9"),
                    forwardedFor("fe80::1%eth0"),
                ) shouldContainExactly listOf("1.2.3.4", "1.2.3.4", "2001:db8:1:2::/64", "2001:db8:1:2::/64", "fe80::/64")
                limited({
                    trustedProxies("127.0.0.1")
                    ipv6Prefix = 128
                    rule("/*") { perIp(1.perHour) }
                }) {
                    val addresses = listOf("2001:DB8:1:2:aaaa::1", "2001:db8:1:2:AAAA:0::1", "2001:db8:1:2:aaaa::2")
                    addresses.map { get("/", "X-Forwarded-For" to it).status } shouldContainExactly listOf(200, 429, 200)
                }
            }

            test("$name: what cannot be read names nobody: the last proxy that was known stands for all who come that way") {
                keys(
                    { trustedProxies("127.0.0.1", "10.0.0.0/8") },
                    forwardedFor("unknown"),
                    forwardedFor("1.2.3.4, evil, 10.0.0.1"),
                    forwardedFor(""),
                    forwardedFor("1.2.3.4,"),
                    forwardedFor("999.1.1.1"),
                    forwardedFor("1.2.3.0/24"),
                    forwardedFor("localhost"),
                    forwardedFor("0x01020304"),
                    forwardedFor("x".repeat(5_000)),
                    emptyList(),
                ) shouldContainExactly listOf("127.0.0.1", "10.0.0.1") + List(8) { "127.0.0.1" }
            }

            test("$name: Forwarded, where that is what proxies write") {
                keys(
                    { trustedProxies("127.0.0.1", header = ForwardingHeader.FORWARDED) },
                    listOf("Forwarded" to "for=6.6.6.6, for=1.2.3.4;proto=https;by=10.0.0.1"),
                    listOf("Forwarded" to "For=\"[2001:db8:1:2::3]:4711\""),
                    listOf("Forwarded" to "for=\"1.2.3.4:80\""),
                    listOf("Forwarded" to "for=_hidden"),
                    listOf("Forwarded" to "proto=http"),
                    forwardedFor("1.2.3.4"),
                ) shouldContainExactly listOf("1.2.3.4", "2001:db8:1:2::/64", "1.2.3.4", "127.0.0.1", "127.0.0.1", "127.0.0.1")
            }

            test("$name: the User-Agent makes no difference (Flaxoos)") {
                limited({ rule("/*") { perIp(2.perHour) } }) {
                    List(3) { get("/", "User-Agent" to "agent $it").status } shouldContainExactly listOf(200, 200, 429)
                }
            }
        }

        test("blocks that cannot be meant are refused") {
            Addresses.parseBlock("10.0.0.0/8").toString() shouldBe "10.0.0.0/8"
            for (text in listOf("", "10.0.0.0/33", "10.0.0", "10.*.0.0", "example.org", "10.0.0.0-255", "*", "::1/129")) {
                shouldThrow<IllegalArgumentException> { Addresses.parseBlock(text) }.message shouldContain "'$text'"
            }
            // IPv4 in IPv6 is IPv4, of blocks too.
            Addresses.parseBlock("::ffff:10.0.0.0/104").contains(Addresses.parse("10.1.2.3")) shouldBe true
            Addresses.parseBlock("::ffff:0:0/96").contains(Addresses.parse("10.1.2.3")) shouldBe true
            shouldThrow<IllegalArgumentException> { Addresses.parseBlock("10.0.0.1/8") }.message shouldContain "write '10.0.0.0/8'"
        }
    }) {
    private companion object {
        val CANDIDATES =
            listOf("127.0.0.1", "1.2.3.4", "6.6.6.6", "10.0.0.1", "10.0.0.2", "10.9.9.9", "999.1.1.1", "unknown", "1.2.3.0/24") +
                listOf("2001:db8:1:2::/64", "fe80::/64", "0.0.0.0", "::/64")
    }
}
