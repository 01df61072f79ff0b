package dev.ratelimit.jvm.store

import java.util.concurrent.CompletionException

/** What a stage has failed with, without the wrapping that a stage behind it adds. */
internal fun Throwable?.unwrapped(): Throwable? = if (this is CompletionException) cause ?: this else this
