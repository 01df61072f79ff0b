package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.SharedMemoryStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import java.io.File
import java.io.RandomAccessFile
import java.net.URLClassLoader
import java.nio.file.Path

/** One JVM has the file open twice, by two class loaders that know nothing of each other, as in a web server. */
internal class TwoLoadersTest :
    FunSpec({
        test("kyo#1866, Chronicle-Network#114: a second class loader shares the bucket, and its close costs the first nothing") {
            val path = tempdir().toPath().resolve("limits")
            SharedMemoryStore.open(path, 100).use { store ->
                val limiter = RateLimiters.create("limiter", store, RateLimit.perHour(5.0))
                limiter.tryAcquire().isAllowed shouldBe true
                val own = members(path).single()
                URLClassLoader(urls(), ClassLoader.getPlatformClassLoader()).use { loader ->
                    val there = There(loader, path)
                    there.allowed() shouldBe true
                    members(path) shouldHaveSize 2
                    limiter.peek().remaining() shouldBe 3
                    there.close()
                }
                members(path) shouldBe listOf(own)
                // Others look who is dead when they join, and four times a second.
                ChildJvm(OneCall::class, listOf("$path")).use { it.ended() shouldBe 0 }
                ChildJvm(RestlessCaller::class, listOf("$path", "1")).use { child ->
                    child.await("warm")
                    child.await("its second of life") { child.said.size > 20 }
                    members(path).contains(own) shouldBe true
                    members(path) shouldHaveSize 2
                }
                limiter.tryAcquire().remaining() shouldBe 2
            }
        }
    })

/** A store of the classes of [loader], and a limiter of the same name and limit as the test's. */
private class There(
    private val loader: ClassLoader,
    path: Path,
) {
    private val storeClass = loader.loadClass("dev.ratelimit.jvm.SharedMemoryStore")
    private val store = storeClass.getMethod("open", Path::class.java).invoke(null, path)
    private val limiter: Any

    init {
        storeClass shouldNotBe SharedMemoryStore::class.java
        val limitClass = loader.loadClass("dev.ratelimit.RateLimit")
        val limit = limitClass.getMethod("perHour", Double::class.javaPrimitiveType).invoke(null, 5.0)
        val limits =
            java.lang.reflect.Array
                .newInstance(limitClass, 1)
                .also { java.lang.reflect.Array.set(it, 0, limit) }
        limiter = loader.loadClass("dev.ratelimit.jvm.RateLimiters")
            .getMethod("create", String::class.java, loader.loadClass("dev.ratelimit.spi.LocalRateLimitStore"), limits.javaClass)
            .invoke(null, "limiter", store, limits)
    }

    fun allowed(): Any? {
        val result = loader.loadClass("dev.ratelimit.LocalRateLimiter").getMethod("tryAcquire").invoke(limiter)
        return loader.loadClass("dev.ratelimit.RateLimitResult").getMethod("isAllowed").invoke(result)
    }

    fun close() = storeClass.getMethod("close").invoke(store)
}

private fun urls() = ChildJvm.CLASS_PATH.split(File.pathSeparator).map { File(it).toURI().toURL() }.toTypedArray()

/** The names of those who have the file open. */
private fun members(path: Path): List<Long> =
    RandomAccessFile(path.toFile(), "r").use { file ->
        (0 until Layout.MEMBER_COUNT).map { member ->
            file.seek(Layout.MEMBERS + member.toLong() * Layout.MEMBER_BYTES)
            file.readLong()
        }
    }.filter { it != 0L }
