package dev.ratelimit.ktor.client.bandwidth

import dev.ratelimit.ktor.client.ByteCount
import io.ktor.client.HttpClient
import io.ktor.client.call.replaceResponse
import io.ktor.client.plugins.isSaved
import io.ktor.client.request.HttpRequestPipeline
import io.ktor.client.request.HttpSendPipeline
import io.ktor.client.statement.HttpReceivePipeline
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.request
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.content.OutgoingContent
import io.ktor.util.AttributeKey
import io.ktor.util.pipeline.PipelinePhase
import io.ktor.utils.io.InternalAPI
import kotlinx.coroutines.job

/** Puts the limits of bodies into a client's pipelines. */
@OptIn(InternalAPI::class)
internal class Bandwidth(
    private val downloads: Tariff?,
    private val uploads: Tariff?,
    private val count: ByteCount,
) {
    fun install(client: HttpClient) {
        if (downloads != null) installDownloads(client, downloads)
        if (uploads != null) installUploads(client, uploads)
    }

    private fun installDownloads(
        client: HttpClient,
        tariff: Tariff,
    ) {
        // Ahead of the plugin that saves bodies in memory, which reads them to their end. Answers of a cache do not come this way.
        val arrival = PipelinePhase("BandwidthArrival")
        client.receivePipeline.insertPhaseBefore(HttpReceivePipeline.Before, arrival)
        client.receivePipeline.intercept(arrival) { response -> arriving(response, tariff)?.let { proceedWith(it) } }
        if (count == ByteCount.WIRE) return
        val decoded = PipelinePhase("BandwidthDecoded")
        client.receivePipeline.insertPhaseAfter(HttpReceivePipeline.State, decoded)
        client.receivePipeline.intercept(decoded) { response -> decoded(response)?.let { proceedWith(it) } }
    }

    private fun arriving(
        response: HttpResponse,
        tariff: Tariff,
    ): HttpResponse? {
        val body = response.rawContent
        if (body.isClosedForRead || response.status == HttpStatusCode.SwitchingProtocols) return null
        val limiters = tariff.limitersOf(response.request.url.host)
        val limited =
            if (count == ByteCount.DECODED && HttpHeaders.ContentEncoding in response.headers) {
                val download = DecodedDownload { LimiterToll(limiters) }
                response.call.attributes.put(decodedDownload, download)
                download.arriving(body)
            } else {
                TolledReadChannel(body, LimiterToll(limiters))
            }
        limited.endWith(response.coroutineContext.job)
        return response.call.replaceResponse { limited }.response
    }

    /** A response that nobody has decoded is charged already, and so is one that a cache has put in the place of another. */
    private fun decoded(response: HttpResponse): HttpResponse? {
        val download = response.call.attributes.getOrNull(decodedDownload) ?: return null
        if (HttpHeaders.ContentEncoding in response.headers) return null
        val call = response.call
        // A saved body is decoded anew for each reader.
        if (response.isSaved) return call.replaceResponse { download.decoded(response.rawContent) }.response
        val limited by lazy { download.decoded(response.rawContent).also { it.endWith(response.coroutineContext.job) } }
        return call.replaceResponse { limited }.response
    }

    /** A phase in which bodies are content and nothing has encoded them, in whatever order plugins are installed. */
    private fun rightAfterRendering(pipeline: HttpRequestPipeline): PipelinePhase {
        val phase = PipelinePhase("BandwidthProduced")
        val render = HttpRequestPipeline.Render
        val next = pipeline.items[pipeline.items.indexOf(render) + 1]
        // Those who come later insert theirs behind all phases that have been inserted after rendering, and so behind next.
        if (next === HttpRequestPipeline.Send) pipeline.insertPhaseAfter(render, phase) else pipeline.insertPhaseBefore(next, phase)
        return phase
    }

    private fun installUploads(
        client: HttpClient,
        tariff: Tariff,
    ) {
        if (count == ByteCount.DECODED) {
            client.requestPipeline.intercept(rightAfterRendering(client.requestPipeline)) { content ->
                if (content !is OutgoingContent) return@intercept
                val upload = DecodedUpload()
                val counted = content.through(context.executionContext, upload::counting)
                if (counted === content) return@intercept
                context.attributes.put(decodedUpload, upload)
                proceedWith(counted)
            }
        }
        // The last thing before the engine: each try of a retry and each hop of a redirect comes this way.
        val departure = PipelinePhase("BandwidthDeparture")
        client.sendPipeline.insertPhaseBefore(HttpSendPipeline.Engine, departure)
        client.sendPipeline.intercept(departure) { content ->
            if (content !is OutgoingContent) return@intercept
            val limiters = tariff.limitersOf(context.url.host)
            val upload = context.attributes.getOrNull(decodedUpload)
            val tolled =
                content.through(context.executionContext) {
                    val toll = LimiterToll(limiters)
                    upload?.leaving(toll) ?: toll
                }
            if (tolled !== content) proceedWith(tolled)
        }
    }
}

private val decodedDownload = AttributeKey<DecodedDownload>("RateLimitDecodedDownload")
private val decodedUpload = AttributeKey<DecodedUpload>("RateLimitDecodedUpload")
