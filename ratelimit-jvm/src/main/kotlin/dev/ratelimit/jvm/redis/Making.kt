package dev.ratelimit.jvm.redis

/** The time until a store is made. What happens meanwhile is told once it is; of a store that cannot be made, the exception tells. */
internal class Making {
    /** Null once the store is made. */
    private var untold: MutableList<() -> Unit>? = ArrayList()

    @Synchronized
    fun tell(event: () -> Unit) {
        untold?.add(event) ?: event()
    }

    @Synchronized
    fun isOver() {
        val events = untold ?: return
        untold = null
        events.forEach { it() }
    }
}
