package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadEvent
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch

/** Events on their way to somebody who may be slow: of a file's progress, the newest alone is kept; all else arrives, in its order. */
internal class Mailbox {
    private val waiting = LinkedHashMap<Any, DownloadEvent>()
    private val news = Channel<Unit>(Channel.CONFLATED)

    fun post(event: DownloadEvent) {
        synchronized(waiting) {
            val key = if (event is DownloadEvent.Progress) event.request else event
            // To the end: it is newer than what else waits.
            waiting.remove(key)
            waiting[key] = event
        }
        news.trySend(Unit)
    }

    fun close() {
        news.close()
    }

    /** The next event; null if none is left and none will come. */
    suspend fun take(): DownloadEvent? {
        while (true) {
            poll()?.let { return it }
            if (news.receiveCatching().isClosed) return poll()
        }
    }

    private fun poll(): DownloadEvent? =
        synchronized(waiting) {
            val entries = waiting.values.iterator()
            if (entries.hasNext()) entries.next().also { entries.remove() } else null
        }
}

/** Does [work] for whoever collects, and hands on what it tells; ends, or fails, as it does. */
internal fun eventsOf(work: suspend (listener: (DownloadEvent) -> Unit) -> Unit): Flow<DownloadEvent> =
    flow {
        val mailbox = Mailbox()
        coroutineScope {
            launch {
                try {
                    work(mailbox::post)
                } finally {
                    mailbox.close()
                }
            }
            while (true) emit(mailbox.take() ?: break)
        }
    }
