package dev.ratelimit.ktor.server.settings

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.slf4j.LoggerFactory
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.FileTime
import kotlin.time.Duration

/**
 * Calls [reload] when [file] has changed, for as long as [scope] lives. It looks at the file's time: that works wherever the file is, also
 * where an orchestrator replaces the link to it.
 */
internal fun watch(
    file: Path,
    every: Duration,
    scope: CoroutineScope,
    reload: () -> Unit,
) {
    var last = timeOf(file)
    scope.launch {
        while (isActive) {
            delay(every)
            val now = withContext(Dispatchers.IO) { timeOf(file) }
            if (now == null || now == last) continue
            last = now
            withContext(Dispatchers.IO) { read(file, reload) }
        }
    }
}

/** Whatever is wrong with the file: it may be half-written at this moment, and the next change is to be seen again. */
@Suppress("TooGenericExceptionCaught")
private fun read(
    file: Path,
    reload: () -> Unit,
) {
    try {
        reload()
        log.info("limits were read again from {}", file)
    } catch (e: Exception) {
        log.error("{} cannot be meant, so the limits stay as they are: {}", file, e.message)
    }
}

private fun timeOf(file: Path): FileTime? =
    try {
        Files.getLastModifiedTime(file)
    } catch (_: IOException) {
        null
    }

private val log = LoggerFactory.getLogger("dev.ratelimit.ktor.server.settings.FileWatch")
