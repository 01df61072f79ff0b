package dev.ratelimit.benchmarks

import java.lang.management.ManagementFactory
import java.util.Locale
import javax.management.ObjectName

/** How many live objects of each class there are, and their bytes, as `jcmd GC.class_histogram` tells it. */
internal class ClassHistogram private constructor(
    private val classes: Map<String, Size>,
) {
    private class Size(
        val count: Long,
        val bytes: Long,
    )

    /** A line for each class that has grown since [before] by one byte or more for each of [items]. */
    fun growthSince(
        before: ClassHistogram,
        items: Int,
    ): String =
        classes
            .map { (name, size) ->
                val old = before.classes[name] ?: Size(0, 0)
                Triple(name, (size.count - old.count).toDouble() / items, (size.bytes - old.bytes).toDouble() / items)
            }.filter { (_, _, bytes) -> bytes >= 1 }
            .sortedByDescending { (_, _, bytes) -> bytes }
            .joinToString("\n") { (name, count, bytes) -> String.format(Locale.ROOT, "%8.1f bytes in %4.2f of %s", bytes, count, name) }

    companion object {
        private val COLUMNS = Regex(""" *\d+: +(\d+) +(\d+) +(\S+).*""")

        fun now(): ClassHistogram {
            val text =
                ManagementFactory.getPlatformMBeanServer().invoke(
                    ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "gcClassHistogram",
                    arrayOf<Any>(emptyArray<String>()),
                    arrayOf(Array<String>::class.java.name),
                ) as String
            return ClassHistogram(
                text
                    .lineSequence()
                    .mapNotNull(COLUMNS::matchEntire)
                    .associate { it.groupValues.let { (_, count, bytes, name) -> name to Size(count.toLong(), bytes.toLong()) } },
            )
        }
    }
}
