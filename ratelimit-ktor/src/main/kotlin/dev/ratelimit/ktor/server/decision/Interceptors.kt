package dev.ratelimit.ktor.server.decision

import dev.ratelimit.ktor.server.rules.Stage
import io.ktor.server.application.PipelineCall
import io.ktor.server.application.isHandled
import io.ktor.server.routing.RoutingPipelineCall
import io.ktor.util.pipeline.PipelineContext

// Where a call passes by. At most of them most calls have nothing to decide; these are classes, because each call of a suspending lambda
// makes an object before it does anything.

/** After all plugins and before routing; until the call is over. */
internal class Arrived(
    private val runtime: Runtime,
) : suspend (PipelineContext<Unit, PipelineCall>, Unit) -> Unit {
    override suspend fun invoke(
        context: PipelineContext<Unit, PipelineCall>,
        subject: Unit,
    ) {
        val call = context.context
        // Answered by another plugin.
        if (call.isHandled) return
        val visit = runtime.visit(call) ?: return
        try {
            if (!runtime.enters(visit, Stage.ARRIVAL) || runtime.passes(visit, Stage.ARRIVAL)) context.proceed() else context.finish()
        } finally {
            runtime.end(visit)
        }
    }
}

/** The route is known, and nothing of it has run. */
internal class Routed(
    private val runtime: Runtime,
) : suspend (PipelineContext<Unit, PipelineCall>, Unit) -> Unit {
    override suspend fun invoke(
        context: PipelineContext<Unit, PipelineCall>,
        subject: Unit,
    ) {
        val visit = runtime.routed(context.context as RoutingPipelineCall) ?: return
        if (runtime.enters(visit, Stage.ROUTED)) runtime.passOrFinish(visit, Stage.ROUTED, context)
    }
}

/** Before the route's handler: the principal is known, if there is one. */
internal class Authenticated(
    private val runtime: Runtime,
) : suspend (PipelineContext<Unit, PipelineCall>, Unit) -> Unit {
    override suspend fun invoke(
        context: PipelineContext<Unit, PipelineCall>,
        subject: Unit,
    ) {
        val visit = context.visitAfter(Stage.ROUTED) ?: return
        if (runtime.enters(visit, Stage.AUTHENTICATED)) runtime.passOrFinish(visit, Stage.AUTHENTICATED, context)
    }
}

/** What no route has answered has no route and no principal. */
internal class Unrouted(
    private val runtime: Runtime,
) : suspend (PipelineContext<Unit, PipelineCall>, Unit) -> Unit {
    override suspend fun invoke(
        context: PipelineContext<Unit, PipelineCall>,
        subject: Unit,
    ) {
        val visit = context.visitAfter(Stage.ARRIVAL) ?: return
        passLaterStages(visit, context)
    }

    private suspend fun passLaterStages(
        visit: Visit,
        context: PipelineContext<Unit, PipelineCall>,
    ) {
        for (stage in listOf(Stage.ROUTED, Stage.AUTHENTICATED)) {
            if (runtime.enters(visit, stage) && !runtime.passes(visit, stage)) return context.finish()
        }
    }
}

/** Just before the answer is sent. */
internal object HeadersOfAnswer : suspend (PipelineContext<Any, PipelineCall>, Any) -> Unit {
    override suspend fun invoke(
        context: PipelineContext<Any, PipelineCall>,
        subject: Any,
    ) {
        context.context.attributes.getOrNull(Visit.key)?.let { it.setup.answers.addHeaders(it) }
    }
}

/** Of a call that has come as far as the stage, and was not answered there: what authentication has refused comes by too. */
private fun PipelineContext<Unit, PipelineCall>.visitAfter(stage: Stage): Visit? =
    if (context.response.isCommitted) null else context.attributes.getOrNull(Visit.key)?.takeIf { it.last == stage }

private suspend fun Runtime.passOrFinish(
    visit: Visit,
    stage: Stage,
    context: PipelineContext<Unit, PipelineCall>,
) {
    if (!passes(visit, stage)) context.finish()
}
