package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimitStoreException

/** The store was closed: it will never answer again. */
internal class ClosedStoreException : RateLimitStoreException("this RedisStore is closed", null)
