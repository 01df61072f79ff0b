package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.store.Timer
import dev.ratelimit.jvm.store.unwrapped
import io.lettuce.core.RedisCommandExecutionException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReference

/**
 * One server, and the circuit in front of it: while the server is away nothing is sent, and a new connection is tried every
 * [BETWEEN_ATTEMPTS]. A server is away when its connection ends, when it owes an answer for longer than the deadline, or when it says
 * that it does not serve.
 *
 * @param name as errors and logs have it: host and port, no secrets
 */
internal class Node(
    val name: String,
    private val connector: Connector,
    private val deadlineNanos: Long,
    firstTimeNanos: Long,
    private val outage: Outage,
    private val check: Check,
) {
    /** Asked of each new connection before it is used. */
    class Check(
        /** Whether passing it shows that the server serves again. */
        val isProof: Boolean,
        val ask: (Link) -> CompletionStage<*>,
    )

    /** Open, or not there yet, or failed: away. */
    private val link = AtomicReference(CompletableFuture<Link>())

    /** Until when the first connection may take more than one attempt. */
    private val firstUntil = System.nanoTime() + firstTimeNanos

    /** To be done when the server is back; no more than what was under way when it went. */
    private val postponed = ConcurrentLinkedQueue<() -> Unit>()

    @Volatile
    private var isClosed = false

    init {
        open()
    }

    /** Whether it can be asked; completes when the first connection is there, or with the reason why not. */
    val opened: CompletableFuture<Link> get() = link.get()

    val isAway: Boolean get() = link.get().isCompletedExceptionally

    /** Runs [action] on the connection; fails at once while the server is away. */
    fun <T> call(action: (Link) -> CompletionStage<T>): CompletionStage<T> {
        val current = link.get()
        if (!current.isDone) {
            val asked = System.nanoTime()
            // Nobody waits any more for what was asked too long ago, so it must not be charged.
            return current.thenCompose {
                if (System.nanoTime() - asked < deadlineNanos) act(it, action) else CompletableFuture.failedFuture(unanswered())
            }
        }
        return if (current.isCompletedExceptionally) current.thenCompose(action) else act(current.join(), action)
    }

    private fun <T> act(
        on: Link,
        action: (Link) -> CompletionStage<T>,
    ): CompletionStage<T> =
        action(on)
            .handle { answer, failure ->
                val cause = failure.unwrapped()
                when {
                    cause == null -> CompletableFuture.completedFuture(answer).also { outage.served() }
                    cause.saysAway() -> failed(Reasons.away(name, cause)) { lost(on, it) }
                    cause is RedisCommandExecutionException && !cause.isRedirection() -> failed(
                        Reasons.explained(name, cause),
                        outage::began,
                    )
                    else -> CompletableFuture.failedFuture(cause)
                }
            }.thenCompose { it }

    private fun <T> failed(
        cause: RateLimitStoreException,
        tell: (RateLimitStoreException) -> Unit,
    ): CompletableFuture<T> {
        tell(cause)
        return CompletableFuture.failedFuture(cause)
    }

    /** Ends the connection if the server owes an answer for too long. */
    fun look() {
        val current = link.get()
        if (!current.isDone || current.isCompletedExceptionally) return
        val waitingSince = current.join().waitingSince() ?: return
        if (System.nanoTime() - waitingSince > deadlineNanos) lost(current.join(), unanswered())
    }

    private fun unanswered() = RateLimitStoreException("Redis at $name has not answered for ${deadlineNanos / NANOS_PER_MILLI} ms", null)

    private fun lost(
        lost: Link,
        cause: RateLimitStoreException,
    ) {
        val current = link.get()
        if (isClosed || !current.isDone || current.isCompletedExceptionally || current.join() !== lost) return
        if (!link.compareAndSet(current, CompletableFuture.failedFuture(cause))) return
        outage.began(cause)
        lost.retire(cause, ::whenBack)
        Timer.after(BETWEEN_ATTEMPTS, ::open)
    }

    private fun open() {
        if (isClosed) return
        val attempt = Attempt()
        val late =
            RateLimitStoreException("Redis at $name does not answer; check host and port, and whether it speaks TLS (rediss://)", null)
        Timer.after(Connector.ATTEMPT.toNanos()) { attempt.end(null, late, true) }
        connector.open().whenComplete { link, failure ->
            if (link == null) {
                attempt.end(null, failure.unwrapped(), false)
            } else {
                link.onLost = { lost(it, RateLimitStoreException("the connection to Redis at $name has ended", null)) }
                val asked = System.nanoTime()
                check.ask(link).whenComplete { _, wrong -> attempt.end(link, wrong.unwrapped() ?: tooSlow(asked), false) }
            }
        }
    }

    /** A server that answers too late is away still: it would be lost again at once. The first answer of all may take its time. */
    private fun tooSlow(asked: Long) = if (isAway && System.nanoTime() - asked > deadlineNanos) unanswered() else null

    private fun up(link: Link): Boolean {
        val current = this.link.get()
        val first = !current.isDone && current.complete(link)
        if (!first && !(current.isCompletedExceptionally && this.link.compareAndSet(current, CompletableFuture.completedFuture(link)))) {
            return false
        }
        if (check.isProof) outage.ended() else outage.reconnected()
        // It may have ended meanwhile, before anybody would have heard.
        if (!link.isOpen) lost(link, RateLimitStoreException("the connection to Redis at $name has ended", null))
        if (isClosed) link.close() else doPostponed()
        return true
    }

    private fun whenBack(action: () -> Unit) {
        if (isClosed) return
        postponed += action
        doPostponed()
    }

    private fun doPostponed() {
        while (link.get().isDone && !isAway) (postponed.poll() ?: return)()
    }

    private fun failed(
        cause: Throwable,
        isLate: Boolean,
    ) {
        if (isLate && !link.get().isDone && System.nanoTime() < firstUntil) return
        val failure = cause as? RateLimitStoreException ?: Reasons.explained(name, cause)
        val current = link.get()
        if (!current.isDone && current.completeExceptionally(failure)) outage.began(failure)
        if (current.isCompletedExceptionally) link.compareAndSet(current, CompletableFuture.failedFuture(failure))
    }

    /** Completes when the connection has ended. */
    fun close(): CompletableFuture<*> {
        isClosed = true
        postponed.clear()
        val current = link.getAndSet(CompletableFuture.failedFuture(closed()))
        if (!current.isDone) current.completeExceptionally(closed())
        return current.handle { link, _ -> link?.close() ?: CompletableFuture.completedFuture(Unit) }.thenCompose { it }
    }

    private fun closed() = RateLimitStoreException("the RedisStore is closed", null)

    /** One attempt to connect. It ends once: with a connection, with a failure, or when its time is over. */
    private inner class Attempt {
        private val hasEnded = AtomicBoolean()

        fun end(
            link: Link?,
            failure: Throwable?,
            isLate: Boolean,
        ) {
            val isFirst = hasEnded.compareAndSet(false, true)
            val isUsed = failure == null && link != null && !isClosed && up(link)
            if (!isUsed) link?.close()
            if (isFirst && failure != null) {
                failed(failure, isLate)
                Timer.after(BETWEEN_ATTEMPTS, ::open)
            }
        }
    }

    private companion object {
        const val BETWEEN_ATTEMPTS = 200_000_000L
        const val NANOS_PER_MILLI = 1_000_000L

        /**
         * What a script has met, servers report behind words of their own: `ERR Error running script (…): …: -READONLY …` is what 6.2
         * says, `ERR user_script:9: READONLY …` what 7.0 does of an error that the script has raised again.
         */
        fun Throwable.saysAway() = this is RedisCommandExecutionException && SAYING_AWAY.containsMatchIn(message.orEmpty())

        val SAYING_AWAY = Regex("(^|: -?)(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS) ")

        fun Throwable.isRedirection() = REDIRECTIONS.any { message.orEmpty().startsWith(it) }

        val REDIRECTIONS = listOf("MOVED", "ASK", "TRYAGAIN", "NOSCRIPT")
    }
}
