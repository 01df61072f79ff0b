package dev.ratelimit.ktor.client

import dev.ratelimit.ktor.client.download.Engines
import dev.ratelimit.ktor.client.download.OpenStore
import dev.ratelimit.ktor.client.download.Transfer
import dev.ratelimit.ktor.client.download.eventsOf
import dev.ratelimit.ktor.client.download.installAll
import io.ktor.client.HttpClient
import io.ktor.client.engine.HttpClientEngine
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.future.future
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.atomic.AtomicInteger
import java.util.function.Consumer

/**
 * Downloads many files, some at a time, under the limits of their hosts; asks again for what could not be had.
 *
 * ```kotlin
 * Downloader(DownloadSettings.builder().rate(10.perSecond).parallelism(8).build()).use { downloader ->
 *     downloader.downloads(requests).collect { event -> println(event) }
 * }
 * ```
 * ```java
 * try (Downloader downloader = new Downloader(DownloadSettings.builder().redisUrl("redis://localhost:6379").build())) {
 *     DownloadedFile file = downloader.downloadAsync("https://example.com/report.pdf", Path.of("report.pdf")).join();
 * }
 * ```
 *
 * Each file is downloaded as by [HttpClient.download][download], which says what happens to it on the way. A connection that breaks in the
 * middle of a file is retried too, from where it broke if the server can do that. Every request pays a permit, each retry
 * and each hop of a redirect among them; [DownloadEvent.Retry] tells what is retried and why.
 *
 * Thread-safe. [DownloadSettings.parallelism] holds for all calls of one downloader together; files begin in the order in which they were
 * asked for. Java has the functions that return futures: they complete on threads of `Dispatchers.Default`, and cancelling one cancels
 * its downloads.
 */
public class Downloader private constructor(
    private val settings: DownloadSettings,
    clientOf: (OpenStore) -> Pair<HttpClient, AutoCloseable?>,
) : AutoCloseable {
    private val store = OpenStore.at(settings.place)
    private val client: HttpClient
    private val engine: AutoCloseable?
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    /** Without children, so that it is over at once when it is cancelled. */
    private val life = Job()
    private val places = Semaphore(settings.parallelism)

    init {
        var isMade = false
        try {
            val made = clientOf(store)
            client = made.first
            engine = made.second
            isMade = true
        } finally {
            if (!isMade) store.close()
        }
    }

    /**
     * On CIO.
     *
     * @throws IllegalStateException if CIO or, for Redis, Lettuce is missing: both are optional dependencies
     * @throws IllegalArgumentException if the limits cannot be meant
     * @throws dev.ratelimit.RateLimitStoreException if the store cannot be opened
     */
    @JvmOverloads
    public constructor(settings: DownloadSettings = DownloadSettings.DEFAULT) :
        this(settings, { store -> onCio(settings, store) })

    /** On an engine of the user's, which stays open when the downloader is closed. Errors as of the other constructor. */
    public constructor(settings: DownloadSettings, engine: HttpClientEngine) :
        this(settings, { store -> HttpClient(engine) { installAll(settings, store.store) } to null })

    /**
     * On a client of the user's, which stays open when the downloader is closed: with all that is installed on it (authentication, say),
     * and inside of that the downloader's retry, limit and timeout. Errors as of the other constructors.
     */
    public constructor(settings: DownloadSettings, client: HttpClient) :
        this(settings, { store -> client.config { installAll(settings, store.store) } to null })

    /**
     * Downloads one file.
     *
     * @throws DownloadException for everything that can go wrong on the way
     * @throws IllegalStateException if the downloader is closed
     * @throws kotlinx.coroutines.CancellationException if the downloader is closed meanwhile
     */
    public suspend fun download(
        request: DownloadRequest,
        onEvent: (DownloadEvent) -> Unit = {},
    ): DownloadedFile = whileOpen { places.withPermit { fetch(request, onEvent) } }

    /** As the other function of this name. */
    public suspend fun download(
        url: String,
        target: Path,
        configure: DownloadRequestBuilder.() -> Unit = {},
    ): DownloadedFile = download(DownloadRequest.builder(url, target).apply(configure).build())

    /**
     * Downloads all files, whatever becomes of each, and tells how each ended, in the order of [requests]. [onEvent] is told all that
     * happens, by several files at once; it should be quick. What it throws ends everything and is thrown.
     */
    public suspend fun downloadAll(
        requests: Collection<DownloadRequest>,
        onEvent: (DownloadEvent) -> Unit = {},
    ): List<DownloadEvent.End> {
        val queue = requests.toList()
        val ends = arrayOfNulls<DownloadEvent.End>(queue.size)
        val next = AtomicInteger()
        whileOpen {
            repeat(minOf(settings.parallelism, queue.size)) {
                launch {
                    while (true) {
                        val index = next.getAndIncrement()
                        if (index >= queue.size) break
                        ends[index] = places.withPermit { end(queue[index], onEvent) }
                    }
                }
            }
        }
        return ends.map { checkNotNull(it) }
    }

    /**
     * Downloads all files when the flow is collected, and each time that it is: cold. It tells all that happens and ends after the last
     * [DownloadEvent.End]; a file that fails is an event like others. To a slow collector only the newest progress of each file is told,
     * and it does not slow down the downloads. To stop collecting is to cancel them.
     */
    public fun downloads(
        requests: Collection<DownloadRequest>,
    ): Flow<DownloadEvent> = eventsOf { listener -> downloadAll(requests, listener) }

    /** As [download]; fails with its [DownloadException]. [onEvent] is told what happens, on threads of the downloader's. */
    @JvmOverloads
    public fun downloadAsync(
        request: DownloadRequest,
        onEvent: Consumer<DownloadEvent> = Consumer { },
    ): CompletableFuture<DownloadedFile> = scope.future { download(request, onEvent::accept) }

    /** As the other function of this name. */
    public fun downloadAsync(
        url: String,
        target: Path,
    ): CompletableFuture<DownloadedFile> = downloadAsync(DownloadRequest.of(url, target))

    /** As [downloadAll]; a file that fails is an element of the list and does not make the future fail. */
    @JvmOverloads
    public fun downloadAllAsync(
        requests: Collection<DownloadRequest>,
        onEvent: Consumer<DownloadEvent> = Consumer { },
    ): CompletableFuture<List<DownloadEvent.End>> = scope.future { downloadAll(requests, onEvent::accept) }

    /** Cancels what is under way, leaving what can be continued, and does not wait for that. Closes what the downloader has opened. */
    override fun close() {
        scope.cancel("the downloader was closed")
        life.cancel()
        client.close()
        engine?.close()
        store.close()
    }

    private suspend fun end(
        request: DownloadRequest,
        onEvent: (DownloadEvent) -> Unit,
    ): DownloadEvent.End =
        try {
            DownloadEvent.Done(request, Transfer(client, request, settings.retries, onEvent).run())
        } catch (e: DownloadException) {
            DownloadEvent.Failed(request, e)
        }.also(onEvent)

    private suspend fun fetch(
        request: DownloadRequest,
        onEvent: (DownloadEvent) -> Unit,
    ): DownloadedFile = Transfer(client, request, settings.retries, onEvent).run().also { onEvent(DownloadEvent.Done(request, it)) }

    private suspend fun <T> whileOpen(action: suspend CoroutineScope.() -> T): T {
        check(life.isActive) { "the downloader is closed; make another" }
        return coroutineScope {
            val whenClosed = life.invokeOnCompletion { cancel("the downloader was closed", it) }
            try {
                coroutineScope(action)
            } finally {
                whenClosed.dispose()
            }
        }
    }

    private companion object {
        fun onCio(
            settings: DownloadSettings,
            store: OpenStore,
        ): Pair<HttpClient, AutoCloseable> {
            val engine = Engines.cio()
            try {
                return HttpClient(engine) { installAll(settings, store.store) } to engine
            } catch (e: IllegalArgumentException) {
                engine.close()
                throw e
            }
        }
    }
}
