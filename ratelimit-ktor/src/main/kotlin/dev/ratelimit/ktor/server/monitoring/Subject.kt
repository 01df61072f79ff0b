package dev.ratelimit.ktor.server.monitoring

/** Whose figures these are. */
internal sealed interface Subject {
    /** All calls, each once. */
    data object All : Subject

    /** The calls that the rule of this name is about. */
    data class OfRule(
        val name: String,
    ) : Subject

    /** The calls of a route, by its method and path as routing has it; a call of no route has one of these too. */
    data class OfEndpoint(
        val name: String,
    ) : Subject
}
