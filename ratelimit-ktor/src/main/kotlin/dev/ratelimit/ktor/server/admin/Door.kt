package dev.ratelimit.ktor.server.admin

import dev.ratelimit.NanoClock
import dev.ratelimit.ktor.server.RateLimitAdminConfig
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.request.httpMethod
import io.ktor.server.request.path

/** Lets in whom the application lets in, and nobody else. */
internal class Door(
    config: RateLimitAdminConfig,
    private val address: (ApplicationCall) -> String,
    private val audit: AdminAudit,
    clock: NanoClock,
) {
    private val check = config.check
    private val challenge = config.challenge
    private val guesses = Guesses(clock)

    /** Null for a call that may come in. */
    suspend fun refusal(call: ApplicationCall): Problem? {
        if (check == null) {
            return Problem(
                HttpStatusCode.Forbidden,
                "nobody is let in yet; write admin { authorize { call -> … } } in install(RateLimiting), with true for whom to let in",
            )
        }
        val client = address(call)
        if (call.request.isForAnotherSite()) {
            return refused(
                call,
                client,
                Problem(
                    HttpStatusCode.Forbidden,
                    "the call comes from a page of another site; open the dashboard itself (a proxy in front has to pass on Host)",
                ),
            )
        }
        return when (val guess = guesses.attempt(client) { check(call) }) {
            is Guess.Right -> {
                null
            }
            is Guess.Wrong -> {
                refused(call, client, notAllowed())
            }
            is Guess.TooMany -> {
                refused(
                    call,
                    client,
                    Problem.retryLater(HttpStatusCode.TooManyRequests, guess.retryAfterNanos, "there were too many wrong tries from here"),
                )
            }
        }
    }

    private fun notAllowed() =
        if (challenge == null) {
            Problem(HttpStatusCode.Forbidden, "you are not let in; authorize { call -> … } of admin { … } decides who is")
        } else {
            Problem(HttpStatusCode.Unauthorized, "you are not let in; send credentials", mapOf(HttpHeaders.WWWAuthenticate to challenge))
        }

    private fun refused(
        call: ApplicationCall,
        client: String,
        problem: Problem,
    ): Problem {
        audit.notLetIn("${call.request.httpMethod.value} ${call.request.path()}", client, problem.detail)
        return problem
    }
}
