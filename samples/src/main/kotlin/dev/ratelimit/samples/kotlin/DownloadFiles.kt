package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.client.DownloadEvent
import dev.ratelimit.ktor.client.DownloadRequest
import dev.ratelimit.ktor.client.DownloadSettings
import dev.ratelimit.ktor.client.Downloader
import dev.ratelimit.ktor.client.mebibytesPerSecond
import dev.ratelimit.samples.LocalServer
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import java.nio.file.Files
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteRecursively
import kotlin.io.path.readText

/** Many files, four at a time, under one limit of requests and one of bytes; one that cannot be had does not end the others. */
@OptIn(ExperimentalPathApi::class)
fun main() =
    runBlocking(Dispatchers.Default) {
        val settings =
            DownloadSettings
                .builder()
                .rate(20.perSecond)
                .parallelism(4)
                .limits { it.bandwidth(2.mebibytesPerSecond) }
                .build()
        val dir = Files.createTempDirectory("downloads")
        try {
            LocalServer.start().use { server ->
                val requests = List(5) { i -> DownloadRequest.of("${server.page("/$i")}", dir.resolve("page-$i.txt")) }
                Downloader(settings).use { downloader ->
                    downloader.downloads(requests).collect { if (it is DownloadEvent.Done) println("${it.file.path.fileName} is complete") }
                }
                println("the last one says: ${dir.resolve("page-4.txt").readText()}")
            }
        } finally {
            dir.deleteRecursively()
        }
    }
