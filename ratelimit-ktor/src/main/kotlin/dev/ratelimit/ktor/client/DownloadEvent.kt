package dev.ratelimit.ktor.client

import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import java.time.Duration as JavaDuration

/** What happens while a file is downloaded. The last one of each file is an [End]. */
public sealed class DownloadEvent {
    /** Whose. */
    public abstract val request: DownloadRequest

    /** How far the file is: told when the answer begins, at most ten times a second from then on, and at the end. */
    public class Progress internal constructor(
        override val request: DownloadRequest,
        /** The bytes that are in the file by now, those of earlier attempts among them. */
        public val bytes: Long,
        /** The bytes of the complete file, if the server told; otherwise null. */
        public val size: Long?,
        /** The bytes that were there before this answer. */
        public val resumedFrom: Long,
    ) : DownloadEvent() {
        override fun toString(): String = "$request: $bytes of ${size ?: "?"} bytes"
    }

    /** The file could not be had now, and is asked for again. */
    public class Retry internal constructor(
        override val request: DownloadRequest,
        /** Which retry of this file is to come, from 1. */
        public val number: Int,
        /** How long it is waited before. */
        public val pause: Duration,
        /** What went wrong. */
        public val reason: String,
    ) : DownloadEvent() {
        /** [pause], for Java. */
        public fun javaPause(): JavaDuration = pause.toJavaDuration()

        override fun toString(): String = "$request: $reason; retry $number in $pause"
    }

    /** How it ended. */
    public sealed class End : DownloadEvent()

    /** The file is complete and has its name. */
    public class Done internal constructor(
        override val request: DownloadRequest,
        /** What there is now. */
        public val file: DownloadedFile,
    ) : End() {
        override fun toString(): String = "$request: $file"
    }

    /** The file could not be had. */
    public class Failed internal constructor(
        override val request: DownloadRequest,
        /** Why. */
        public val cause: DownloadException,
    ) : End() {
        override fun toString(): String = cause.message.orEmpty()
    }
}

/** A file that was downloaded: complete, and under its name. */
public class DownloadedFile internal constructor(
    /** Where it is: the target, or its numbered neighbour. */
    public val path: Path,
    /** Its length. */
    public val bytes: Long,
    /** How many of its bytes were there from an earlier attempt. */
    public val resumedFrom: Long,
    /** How often it was asked for again. */
    public val retries: Int,
) {
    override fun toString(): String = "$path ($bytes bytes)"
}
