package dev.ratelimit.benchmarks.report

/** One line of the comparison: which benchmark it shows, and what is promised of it. */
internal class Comparison(
    val title: String,
    private val benchmark: String,
    private val param: String? = null,
    private val threads: Int = 1,
    private val atMostTimesFloor: Double? = null,
    private val promisesFastest: Boolean = false,
    private val promisesNoGarbage: Boolean = false,
) {
    fun resultOf(
        method: String,
        results: List<JmhResult>,
    ): JmhResult? =
        results.find { it.benchmark == benchmark && it.method == method && it.threads == threads && (param == null || param in it.params) }

    /** Each promise with whether it was kept. */
    fun verdicts(results: List<JmhResult>): List<Pair<String, Boolean>> {
        val ours = resultOf("ours", results) ?: return emptyList()
        val floor = resultOf("floor", results)
        val peers = PEERS.mapNotNull { resultOf(it, results) }
        return buildList {
            if (atMostTimesFloor != null && floor != null) {
                add("<= $atMostTimesFloor x floor" to (ours.median <= atMostTimesFloor * floor.median))
            }
            if (promisesFastest && peers.isNotEmpty()) add("fastest" to peers.all { ours.median < it.median })
            if (promisesNoGarbage && ours.bytesPerCall != null) add("0 B" to (ours.bytesPerCall < HALF_A_BYTE))
        }
    }

    companion object {
        /** The methods of the benchmarks that stand for other libraries. */
        val PEERS = listOf("bucket4j", "resilience4j", "guava", "failsafe")

        /** JMH counts what its own threads allocate in the same time, too. */
        private const val HALF_A_BYTE = 0.5

        private const val HOT = 1.25
        private const val KEYED = 1.3
        private const val SUSPENDING = 2.0

        val ALL =
            listOf(
                hot("allowed", "ALLOWED", threads = 1),
                hot("denied", "DENIED", threads = 1),
                hot("allowed", "ALLOWED", threads = 2),
                hot("denied", "DENIED", threads = 2),
                Comparison("  beside all algorithms, allowed", "HotBucketAmongOthers", "ALLOWED"),
                Comparison("  beside all algorithms, denied", "HotBucketAmongOthers", "DENIED"),
                Comparison("a million keys (1)", "MillionKeys", atMostTimesFloor = KEYED),
                Comparison("a million idle keys (1)", "MillionIdleKeys"),
                Comparison("acquire() in a coroutine (2)", "UncontendedAcquire", atMostTimesFloor = SUSPENDING),
                Comparison("token bucket, 999,999,937/s", "Algorithms", "TOKEN_BUCKET_OF_ODD_RATE"),
                Comparison("leaky bucket", "Algorithms", "LEAKY_BUCKET"),
                Comparison("fixed window", "Algorithms", "FIXED_WINDOW"),
                Comparison("sliding window", "Algorithms", "SLIDING_WINDOW"),
                Comparison("sliding log", "Algorithms", "SLIDING_LOG"),
                Comparison("two limits, both allow", "Algorithms", "TWO_LIMITS"),
            )

        private fun hot(
            answer: String,
            param: String,
            threads: Int,
        ) = Comparison(
            "hot bucket, $answer, ${if (threads == 1) "1 thread" else "$threads threads"}",
            "HotBucket",
            param,
            threads,
            atMostTimesFloor = HOT.takeIf { threads == 1 },
            promisesFastest = true,
            promisesNoGarbage = true,
        )
    }
}
