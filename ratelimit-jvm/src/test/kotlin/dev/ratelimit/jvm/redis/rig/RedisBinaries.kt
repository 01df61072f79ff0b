package dev.ratelimit.jvm.redis.rig

import redis.embedded.RedisExecProvider
import java.io.File

/** The servers that are at hand as files. */
internal object RedisBinaries {
    /** Another one by `-Dratelimit.redis.server=path`. */
    val default: String by lazy {
        System.getProperty("ratelimit.redis.server") ?: RedisExecProvider.defaultProvider().get().toString()
    }

    /** From the folder into which the build unpacks what may not be on the class path, as its classes have the names of others. */
    fun of(version: String): String? {
        val dir = File(System.getProperty("ratelimit.redis.binaries") ?: return null)
        val file = dir.listFiles().orEmpty().firstOrNull { it.name.startsWith("redis-server-$version.") && it.name.endsWith(platform()) }
        return file?.takeIf { it.setExecutable(true) }?.path
    }

    fun onPath(name: String): String? =
        System
            .getenv("PATH")
            .orEmpty()
            .split(File.pathSeparator)
            .map { File(it, name) }
            .firstOrNull { it.isFile && it.canExecute() }
            ?.path

    private fun platform(): String {
        val system = if (System.getProperty("os.name") == "Linux") "linux" else "other"
        val machine =
            when (System.getProperty("os.arch")) {
                "amd64", "x86_64" -> "amd64"
                "aarch64" -> "arm64"
                else -> "other"
            }
        return "-$system-$machine"
    }
}
