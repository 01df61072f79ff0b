package dev.ratelimit.jvm.redis.faults

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.string.shouldContain
import java.io.File
import java.util.concurrent.TimeUnit

/** Lettuce is an optional dependency: a program without it works, and one that asks for Redis is told what is missing. */
internal class LettuceMissingTest :
    FunSpec({
        test("without Lettuce memory works, and Redis says what to add") {
            val path =
                System.getProperty("java.class.path").split(File.pathSeparator).filterNot { "lettuce" in it || "netty" in it }
            val java = File(System.getProperty("java.home"), "bin/java").path
            val child =
                ProcessBuilder(java, "-cp", path.joinToString(File.pathSeparator), "dev.ratelimit.jvm.redis.faults.WithoutLettuceKt")
                    .redirectErrorStream(true)
                    .start()
            val said = child.inputStream.bufferedReader().readText()
            child.waitFor(60, TimeUnit.SECONDS)
            said shouldContain "in memory: true"
            said shouldContain "in Redis: RedisStore needs Lettuce; add the dependency io.lettuce:lettuce-core"
        }
    })
