package dev.ratelimit.ktor.client.learning

/** The values of the keys that were used last, at most [most]; whatever is forgotten begins anew. Thread-safe. */
internal class Recent<K : Any, V : Any>(
    private val most: Int,
) {
    private val values =
        object : LinkedHashMap<K, V>(INITIAL, LOAD, true) {
            override fun removeEldestEntry(eldest: Map.Entry<K, V>) = size > most
        }

    /** Read without the lock by the many who ask while nothing is known of anybody. */
    @Volatile
    private var isEmpty = true

    operator fun get(key: () -> K): V? = if (isEmpty) null else synchronized(values) { values[key()] }

    fun getOrPut(
        key: K,
        make: () -> V,
    ): V =
        synchronized(values) {
            isEmpty = false
            values.getOrPut(key, make)
        }

    /** The value that [change] makes of the one that is known, if there is one. */
    fun update(
        key: K,
        change: (V?) -> V,
    ): V =
        synchronized(values) {
            isEmpty = false
            change(values[key]).also { values[key] = it }
        }

    private companion object {
        const val INITIAL = 16
        const val LOAD = 0.75f
    }
}
