package dev.ratelimit.ktor.client.passage

import dev.ratelimit.ktor.client.rules.Target
import io.ktor.client.call.HttpClientCall
import io.ktor.http.HttpStatusCode
import kotlinx.coroutines.job

/** One request on its way: what it has taken, and gives back if it is never sent. */
internal class Passage(
    val targets: List<Target>,
    val sentAt: Long,
    private val fare: Fare,
    private val place: InFlight.Place?,
) {
    /** Whether the request went on its way. */
    @Volatile
    var isSent = false
        private set
    private var isHeld = false

    fun use() {
        isSent = true
    }

    /** The place of the request is its answer's, until all of that has been read; an upgraded connection is no request any more. */
    fun hold(call: HttpClientCall) {
        val place = place ?: return
        if (call.response.status == HttpStatusCode.SwitchingProtocols) return
        isHeld = true
        call.coroutineContext.job.invokeOnCompletion { place.release() }
    }

    /** The answer is of no use any more, and nobody will read it to its end. */
    fun leave() {
        place?.release()
    }

    fun close() {
        if (!isSent) fare.giveBack()
        if (!isHeld) place?.release()
    }
}

/** What a user's one request holds while it goes from hop to hop and from try to try, of which only the last is read to its end. */
internal class Stay {
    @Volatile
    private var passage: Passage? = null

    fun begin(passage: Passage) {
        this.passage = passage
    }

    fun end() {
        passage?.leave()
        passage = null
    }
}
