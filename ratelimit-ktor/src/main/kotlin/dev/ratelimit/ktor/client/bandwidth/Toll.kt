package dev.ratelimit.ktor.client.bandwidth

/**
 * What the bytes of one body cost before they are handed on. Used by one reader or writer at a time; only [end] may be called from
 * elsewhere, at any moment.
 */
internal interface Toll {
    /** The most bytes to pay for at once, as things stand. */
    val chunk: Long

    /** Returns when the bytes are paid for. Whoever is cancelled, or fails, has paid nothing. */
    suspend fun pay(bytes: Long)

    /** Takes the last payment back: its bytes were never handed on. */
    fun undo()

    /** The body has come to its end. */
    fun settle() = Unit

    /** Nobody wants the rest: whoever is paying stops, and so does whoever comes. */
    fun end(cause: Throwable?)
}
