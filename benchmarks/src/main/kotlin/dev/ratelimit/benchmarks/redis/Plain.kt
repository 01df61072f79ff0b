package dev.ratelimit.benchmarks.redis

import io.lettuce.core.ScriptOutputType
import io.lettuce.core.api.StatefulRedisConnection
import java.util.concurrent.CompletionStage
import java.util.concurrent.TimeUnit

/** The floor: a round trip that decides nothing. */
internal class Ping(
    field: Field,
) : Contestant<String> {
    private val connection = field.client.connect()
    private val commands = connection.async()

    override fun ask(key: Int): CompletionStage<String> = commands.ping()

    override fun isAllowed(answer: String): Boolean = true

    override fun close() = connection.close()
}

/** The script that a team writes for itself: one key, one EVALSHA for each decision. */
internal class PlainScript(
    field: Field,
    scenario: Scenario,
) : Contestant<List<Long>> {
    private val connection = field.client.connect()
    private val commands = connection.async()
    private val digest = connection.loaded("gcra.lua")
    private val keys = scenario.names.map { arrayOf("plain:$it") }
    private val interval = (TimeUnit.NANOSECONDS.toMicros(scenario.period.toNanos()) / scenario.permits).toString()
    private val burst = TimeUnit.NANOSECONDS.toMicros(scenario.period.toNanos()).toString()

    override fun ask(key: Int): CompletionStage<List<Long>> =
        commands.evalsha(digest, ScriptOutputType.MULTI, keys[key], interval, burst)

    override fun isAllowed(answer: List<Long>): Boolean = answer[0] == 1L

    override fun close() = connection.close()
}

/** A script with two keys and the client's clock, as Spring Cloud Gateway's. */
internal class TwoKeys(
    field: Field,
    scenario: Scenario,
) : Contestant<List<Long>> {
    private val connection = field.client.connect()
    private val commands = connection.async()
    private val digest = connection.loaded("two_keys.lua")
    private val keys = scenario.names.map { arrayOf("two:{$it}.tokens", "two:{$it}.timestamp") }
    private val rate = (scenario.permits.toDouble() / scenario.period.toSeconds()).toString()
    private val capacity = scenario.permits.toString()

    override fun ask(key: Int): CompletionStage<List<Long>> =
        commands.evalsha(digest, ScriptOutputType.MULTI, keys[key], rate, capacity, seconds(), "1")

    override fun isAllowed(answer: List<Long>): Boolean = answer[0] == 1L

    override fun close() = connection.close()

    private fun seconds() = TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis()).toString()
}

private fun StatefulRedisConnection<String, String>.loaded(file: String): String =
    checkNotNull(Field::class.java.getResourceAsStream(file)) { "$file is missing" }
        .use { sync().scriptLoad(it.readBytes().decodeToString()) }
