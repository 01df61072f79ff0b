package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.redis.RedisKeys
import dev.ratelimit.jvm.redis.rig.FaultMode
import dev.ratelimit.jvm.redis.rig.FaultProxy
import dev.ratelimit.jvm.redis.rig.RedisCluster
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.SlotMove
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Tally
import dev.ratelimit.spi.TallyEntry
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.cluster.SlotHash
import java.time.Duration
import java.util.concurrent.CompletableFuture
import kotlin.time.Duration.Companion.seconds

/** Numbers that all processes add to: each entry counts once, whatever happens to it on its way. */
internal class TallyTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }

        fun entry(
            group: String,
            number: Long,
            sums: Map<String, Long>,
            maxima: Map<String, Long> = emptyMap(),
            writer: String = "me",
        ) = TallyEntry(group, writer, number, sums, maxima, Duration.ofSeconds(40))

        fun RedisStore.tally(entry: TallyEntry) = tallyAsync(entry).answer()

        fun RedisStore.numbers(group: String): Map<String, Long> = talliesAsync(listOf(group)).answer().single().numbers

        test("sums add up and maxima rise, whoever writes; the last entry of each writer is known") {
            storeAt(server.uri).use { store ->
                store.tally(entry("both", 1, mapOf("calls" to 3L), mapOf("longest" to 50L)))
                store.tally(entry("both", 2, mapOf("calls" to 4L, "other" to 1L), mapOf("longest" to 20L)))
                store.tally(entry("both", 7, mapOf("calls" to 5L), mapOf("longest" to 70L), writer = "another"))
                store.talliesAsync(listOf("both", "nothing", "both")).answer().let { (first, none, again) ->
                    first shouldBe Tally(mapOf("calls" to 12L, "other" to 1L, "longest" to 70L), mapOf("me" to 2L, "another" to 7L))
                    none shouldBe Tally(emptyMap(), emptyMap())
                    again shouldBe first
                }
                store.talliesAsync(emptyList()).answer().shouldBeEmpty()
            }
        }

        test("an entry that is sent again counts once, and so does one that comes after a later one") {
            storeAt(server.uri).use { store ->
                repeat(3) { store.tally(entry("again", 5, mapOf("calls" to 3L))) }
                store.tally(entry("again", 4, mapOf("calls" to 100L)))
                store.tally(entry("again", 6, mapOf("calls" to 10L)))
                store.numbers("again") shouldBe mapOf("calls" to 13L)
            }
        }

        test("an entry whose reply is cut counts once when it is sent again (lettuce#1426)") {
            FaultProxy(server.port).use { proxy ->
                storeAt(proxy.uri).use { store ->
                    store.tally(entry("cut", 1, mapOf("calls" to 1L)))
                    for (number in 2L..4L) {
                        proxy.mode = FaultMode.CutOnce
                        shouldThrow<RateLimitStoreException> { store.tally(entry("cut", number, mapOf("calls" to 10L))) }
                        awaitThat("it arrives") { runCatching { store.tally(entry("cut", number, mapOf("calls" to 10L))) }.isSuccess }
                        store.numbers("cut") shouldBe mapOf("calls" to 1 + (number - 1) * 10)
                    }
                    proxy.cuts shouldBe 3
                }
            }
        }

        test("every group expires, and each entry puts that off (redisson#4007)") {
            server.ask { flushall() }
            storeAt(server.uri).use { store ->
                store.tally(entry("first", 1, mapOf("calls" to 3L)))
                store.tally(TallyEntry("first", "me", 2, emptyMap(), mapOf("longest" to 3L), Duration.ofSeconds(70)))
                store.tally(TallyEntry("long", "me", 2, mapOf("calls" to 1L), emptyMap(), Duration.ofSeconds(Long.MAX_VALUE)))
                store.talliesAsync(listOf("nothing")).answer()
                server.ask { keys("*") }.toSet() shouldBe setOf("ratelimit:{first}:tally", "ratelimit:{long}:tally")
                server.ask { pttl("ratelimit:{first}:tally") } shouldBeInRange 40_001L..70_000L
                server.ask { pttl("ratelimit:{long}:tally") } shouldBeInRange 1L..Duration.ofDays(3_650).toMillis()
                store.tally(TallyEntry("first", "me", 3, mapOf("calls" to 1L), emptyMap(), Duration.ofMillis(1)))
                awaitThat("the end of the group") { server.ask { exists("ratelimit:{first}:tally") } == 0L }
                store.numbers("first") shouldBe emptyMap()
            }
        }

        test("names and groups may be any texts, and none is taken for another, for a writer or for a bucket (better-auth#7300)") {
            val texts = listOf("", "a", "=a", "#a", "#me", "me", "a|b", "{a}", "}{", "%007c", "\u0000\r\n", "é", "🔑", "x".repeat(300))
            storeAt(server.uri).use { store ->
                val numbers = texts.withIndex().associate { (i, text) -> text to 1L + i }
                texts.forEach { store.tally(entry(it, 1, numbers, writer = it)) }
                val told = store.talliesAsync(texts).answer()
                told.forEachIndexed { i, tally ->
                    withClue(texts[i]) { tally shouldBe Tally(numbers, mapOf(texts[i] to 1L)) }
                }
            }
            val keys = RedisKeys("ratelimit:")
            val names = texts.map { keys.tallyOf(it) }
            names.toSet() shouldHaveSize texts.size
            for (text in texts) {
                keys.tallyOf(text) shouldNotBe keys.declarationsOf(text)
                keys.tallyOf(text) shouldNotBe keys.nameOf(BucketKey(text, null, 0))
            }
        }

        test("an entry of 5,000 numbers is applied as a whole") {
            storeAt(server.uri).use { store ->
                val sums = (1..2_500).associate { "sum $it" to it.toLong() }
                val maxima = (1..2_500).associate { "maximum $it" to it.toLong() }
                store.tally(entry("large", 1, sums, maxima))
                store.tally(entry("large", 2, sums, maxima))
                store.numbers("large") shouldBe sums.mapValues { it.value * 2 } + maxima
                for (size in 998..1_002) {
                    val exact = (1..size).associate { "$it" to 1L }
                    store.tally(entry("large $size", 1, exact))
                    store.numbers("large $size") shouldBe exact
                }
            }
        }

        test("every digit counts up to 2^53 - 1, and there a number stays") {
            storeAt(server.uri).use { store ->
                store.tally(entry("digits", 1, mapOf("calls" to TallyEntry.MOST - 10), mapOf("longest" to TallyEntry.MOST - 2)))
                store.tally(entry("digits", 2, mapOf("calls" to 3L), mapOf("longest" to TallyEntry.MOST - 1)))
                store.numbers("digits") shouldBe mapOf("calls" to TallyEntry.MOST - 7, "longest" to TallyEntry.MOST - 1)
                store.tally(entry("digits", 3, mapOf("calls" to TallyEntry.MOST)))
                store.numbers("digits") shouldBe mapOf("calls" to TallyEntry.MOST, "longest" to TallyEntry.MOST - 1)
            }
        }

        test("what is no tally is named and left alone, and is no outage; a number that is none begins again") {
            val outages = Outages()
            storeAt(server.uri) { listener(outages) }.use { store ->
                server.ask { set("ratelimit:{text}:tally", "hello") }
                val failures =
                    listOf(
                        shouldThrow<RateLimitStoreException> { store.tally(entry("text", 1, mapOf("calls" to 1L))) },
                        shouldThrow<RateLimitStoreException> { store.numbers("text") },
                    )
                failures.forEach { it.message shouldContain "ratelimit:{text}:tally" }
                server.ask { get("ratelimit:{text}:tally") } shouldBe "hello"

                server.ask { hset("ratelimit:{hash}:tally", mapOf("=calls" to "x", "=kept" to "3", "other" to "4", "#me" to "y")) }
                store.numbers("hash") shouldBe mapOf("kept" to 3L)
                store.tally(entry("hash", 1, mapOf("calls" to 2L)))
                store.numbers("hash") shouldBe mapOf("calls" to 2L, "kept" to 3L)
                outages.began.shouldBeEmpty()
            }
        }

        test("a server that hangs fails a tally at the deadline; once it is known nobody waits, and nothing is sent later") {
            storeAt(server.uri, FailurePolicy.open()) { deadline(2.seconds) }.use { store ->
                store.tally(entry("hang", 1, mapOf("calls" to 1L)))
                server.pause()
                try {
                    val asked = List(2_000) { store.tallyAsync(entry("hang", 2L + it, mapOf("calls" to 1L))) }
                    val reasons = asked.map { shouldThrow<RateLimitStoreException> { it.answer() }.message.orEmpty() }
                    reasons.count { "under way" in it } shouldBe 1_000
                    reasons.filterNot { "under way" in it }.forEach { it shouldContain "2000 ms" }
                    repeat(2_000) { i ->
                        shouldThrow<RateLimitStoreException> { store.tally(entry("hang", 5_000L + i, mapOf("calls" to 1_000_000L))) }
                    }
                    shouldThrow<RateLimitStoreException> { store.numbers("hang") }
                } finally {
                    server.resume()
                }
                awaitThat("the server is asked again") { runCatching { store.numbers("hang") }.isSuccess }
                // Those that had been sent when it began to hang, once each.
                store.numbers("hang").getValue("calls") shouldBeInRange 1L..1_001L
            }
        }

        test("a server that has gone fails a tally at once, and takes the same entry when it is back") {
            RedisServer().use { own ->
                storeAt(own.uri).use { store ->
                    store.tally(entry("gone", 1, mapOf("calls" to 1L)))
                    own.kill()
                    awaitThat("the outage") { runCatching { store.numbers("gone") }.isFailure }
                    shouldThrow<RateLimitStoreException> { store.tally(entry("gone", 2, mapOf("calls" to 1L))) }
                    own.restart()
                    awaitThat("its return") { runCatching { store.tally(entry("gone", 2, mapOf("calls" to 1L))) }.isSuccess }
                    store.numbers("gone") shouldBe mapOf("calls" to 1L)
                }
            }
        }

        test("a closed store takes nothing more") {
            val store = storeAt(server.uri)
            store.close()
            shouldThrow<RateLimitStoreException> { store.tally(entry("closed", 1, mapOf("calls" to 1L))) }.message shouldContain "closed"
            shouldThrow<RateLimitStoreException> { store.numbers("closed") }.message shouldContain "closed"
        }

        test("out of memory nothing is half-written (redis#8478)") {
            RedisServer().use { own ->
                storeAt(own.uri).use { store ->
                    store.tally(entry("full", 1, mapOf("calls" to 1L)))
                    own.ask { configSet("maxmemory", "1") }
                    shouldThrow<RateLimitStoreException> { store.tally(entry("full", 2, (1..3_000).associate { "$it" to 1L })) }
                    shouldThrow<RateLimitStoreException> { store.tally(entry("empty", 1, mapOf("calls" to 1L))) }
                    own.ask { configSet("maxmemory", "0") }
                    own.ask { keys("*") } shouldBe listOf("ratelimit:{full}:tally")
                    awaitThat("the server writes again") { runCatching { store.tally(entry("full", 2, mapOf("calls" to 1L))) }.isSuccess }
                    store.numbers("full") shouldBe mapOf("calls" to 2L)
                }
            }
        }

        test("a server that has forgotten its scripts is told them again (redis#13108)") {
            storeAt(server.uri).use { store ->
                for (number in 1L..20L) {
                    server.ask { scriptFlush() }
                    store.tally(entry("flushed", number, mapOf("calls" to 1L)))
                    server.ask { scriptFlush() }
                    store.numbers("flushed") shouldBe mapOf("calls" to number)
                }
            }
        }

        test("on Redis 6.2 too") {
            RedisServer.oldest()?.use { old ->
                storeAt(old.uri).use { store ->
                    old.ask { set("ratelimit:{text}:tally", "hello") }
                    repeat(2) { store.tally(entry("old", 1, mapOf("calls" to 3L), mapOf("longest" to 50L))) }
                    store.numbers("old") shouldBe mapOf("calls" to 3L, "longest" to 50L)
                    shouldThrow<RateLimitStoreException> { store.numbers("text") }.message shouldContain "{text}"
                    shouldThrow<RateLimitStoreException> { store.tally(entry("text", 1, mapOf("calls" to 1L))) }.message shouldContain
                        "{text}"
                }
            }
        }

        test("in a Cluster each group is where its name belongs, also while its slot moves") {
            RedisCluster().use { cluster ->
                storeAt(cluster.uri).use { store ->
                    val groups = List(40) { "group $it" }
                    groups.forEachIndexed { i, group -> store.tally(entry(group, 1, mapOf("calls" to i.toLong()))) }
                    store.talliesAsync(groups).answer().map { it.numbers["calls"] } shouldBe List(40) { it.toLong() }

                    val slot = SlotHash.getSlot(RedisKeys("ratelimit:").tallyOf("group 3"))
                    val from = cluster.ownerOf(slot)
                    val move = SlotMove(cluster, slot, from, cluster.masters.first { it !== from })
                    move.begin()
                    store.tally(entry("group 3", 2, mapOf("calls" to 1L)))
                    move.moveKeys()
                    store.tally(entry("group 3", 3, mapOf("calls" to 1L)))
                    store.numbers("group 3") shouldBe mapOf("calls" to 5L)
                    move.finish()
                    store.tally(entry("group 3", 4, mapOf("calls" to 1L)))
                    store.numbers("group 3") shouldBe mapOf("calls" to 6L)
                }
            }
        }

        test("eight writers at once lose and double nothing") {
            storeAt(server.uri) { deadline(20.seconds) }.use { store ->
                // Each waits for its answers: an entry that overtakes another of its writer is the last of both.
                val writers =
                    List(8) { writer ->
                        CompletableFuture.runAsync {
                            for (number in 1L..50L) {
                                val numbers = mapOf("calls" to 1L, "by $writer" to 1L)
                                store.tallyAsync(entry("many", number, numbers, writer = "$writer")).toCompletableFuture().join()
                            }
                        }
                    }
                writers.forEach { it.join() }
                store.numbers("many") shouldBe mapOf("calls" to 400L) + (0..7).associate { "by $it" to 50L }
            }
        }
    })
