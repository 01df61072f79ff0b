package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.SharedMemoryStore
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/**
 * A process that has a shared file open and does what it reads from its input, a command a line, and answers each with a line. It ends when
 * its input does, so that none outlives the test.
 */
internal object ChildMain {
    private var store: SharedMemoryStore? = null
    private var worker: Thread? = null

    @Volatile
    private var work: Work? = null

    @JvmStatic
    fun main(args: Array<String>) {
        val input = System.`in`.bufferedReader()
        say("ready")
        while (true) {
            val words = (input.readLine() ?: break).split('\t')
            say(
                try {
                    answer(words)
                } catch (e: Exception) {
                    System.err.println(e.stackTraceToString())
                    "failed: $e"
                },
            )
        }
        Runtime.getRuntime().halt(0)
    }

    private fun say(line: String) {
        println(line)
        System.out.flush()
    }

    private fun answer(words: List<String>): String {
        when (words[0]) {
            "open" -> store = SharedMemoryStore.open(Path.of(words[1]), words[2].toInt())
            "close" -> store?.close()
            "take" -> return taken().toString()
            "work" -> begin(words)
            "stop" -> end()
            else -> error("no such command: $words")
        }
        return words[0]
    }

    /** Takes all that there is of one key. */
    private fun taken(): Int {
        val limiter = Saturation.limiter(checkNotNull(store), RateLimit.perDay(1.0).withBurst(100))
        var taken = 0
        while (limiter.tryAcquire().isAllowed) taken++
        return taken
    }

    /** `work, kind, tally, from, until`, then numbers of its own. */
    private fun begin(words: List<String>) {
        val store = checkNotNull(store)
        val tally = Tally(Path.of(words[2]))
        val from = words[3].toLong()
        val until = words[4].toLong()
        val numbers = words.drop(FIRST_NUMBER).map { it.toLong() }
        val work =
            when (words[1]) {
                "mix" -> Mix(store, tally, from, seed = numbers[0], restMicros = numbers[1])
                "saturate" -> Saturation(store, tally, from, until, rate = numbers[0].toDouble(), burst = numbers[1])
                "line" -> Line(store, tally, from, until, rate = numbers[0].toDouble(), burst = numbers[1], waiters = numbers[2].toInt())
                else -> error("no such work: $words")
            }
        this.work = work
        worker =
            Thread {
                try {
                    work.run()
                } catch (e: Throwable) {
                    tally.add(Tally.FAILURES, 1)
                    System.err.println(e.stackTraceToString())
                }
            }.apply { start() }
    }

    /** What is done till an instant ends by itself, all else now. */
    private fun end() {
        work?.stop()
        worker?.join(TimeUnit.SECONDS.toMillis(LONGEST_SECONDS))
        check(worker?.isAlive != true) { "the work does not end" }
    }

    private const val FIRST_NUMBER = 5
    private const val LONGEST_SECONDS = 30L
}
