package dev.ratelimit.jvm

/** What a [RedisStore] answers while Redis is away. An outage is never reported as a limit. Immutable. */
public class FailurePolicy private constructor(
    internal val kind: Kind,
    internal val share: Double,
) {
    internal enum class Kind { LOCAL, OPEN, CLOSED, RAISE }

    override fun toString(): String = if (kind == Kind.LOCAL && share != 1.0) "local($share)" else kind.name.lowercase() + "()"

    public companion object {
        private val LOCAL = FailurePolicy(Kind.LOCAL, 1.0)
        private val OPEN = FailurePolicy(Kind.OPEN, 1.0)
        private val CLOSED = FailurePolicy(Kind.CLOSED, 1.0)
        private val RAISE = FailurePolicy(Kind.RAISE, 1.0)

        /** The default: the same limits, in this process' own memory. With n processes, up to n times the limit meanwhile. */
        @JvmStatic
        public fun local(): FailurePolicy = LOCAL

        /**
         * This share of each limit in this process' own memory: with n processes, `1.0 / n` keeps to the limit. A call for more
         * permits than the share's burst takes all of it.
         *
         * @param share above 0, at most 1
         */
        @JvmStatic
        public fun local(share: Double): FailurePolicy {
            require(share > 0 && share <= 1) { "share $share is not above 0 and at most 1; for 4 processes write 0.25" }
            return FailurePolicy(Kind.LOCAL, share)
        }

        /** Everything is allowed. */
        @JvmStatic
        public fun open(): FailurePolicy = OPEN

        /** Everything is refused, as [dev.ratelimit.Refusal.UNAVAILABLE]; who waits goes on waiting. */
        @JvmStatic
        public fun closed(): FailurePolicy = CLOSED

        /** Calls fail with [dev.ratelimit.RateLimitStoreException]. */
        @JvmStatic
        public fun raise(): FailurePolicy = RAISE
    }
}
