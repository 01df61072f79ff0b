package dev.ratelimit.ktor.server.decision

import dev.ratelimit.ktor.server.address.ClientAddresses
import dev.ratelimit.ktor.server.answers.Answers
import dev.ratelimit.ktor.server.matching.PathPrefix
import dev.ratelimit.ktor.server.rules.Rulebook
import io.ktor.server.application.ApplicationCall

/** Everything that can be changed while the plugin runs, as one value: a call goes by the one that it came under. */
internal class Setup(
    val book: Rulebook,
    val addresses: ClientAddresses,
    val users: Users,
    val apiKey: (ApplicationCall) -> String?,
    val bypass: Callers,
    val deny: Callers,
    val answers: Answers,
    val warnAt: Double?,
    val maxWaitNanos: Long,
    val failOpen: Boolean,
    val exempt: PathPrefix?,
)
