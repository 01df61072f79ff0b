package dev.ratelimit.jvm.redis.faults

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.AppenderBase
import org.slf4j.LoggerFactory
import java.util.concurrent.CopyOnWriteArrayList

/** What [logger] and those below it log during [action], at [level] and above; it goes nowhere else. */
internal fun recorded(
    logger: String,
    level: Level,
    action: () -> Unit,
): List<ILoggingEvent> {
    val events = CopyOnWriteArrayList<ILoggingEvent>()
    val appender =
        object : AppenderBase<ILoggingEvent>() {
            override fun append(event: ILoggingEvent) {
                events += event
            }
        }
    val target = LoggerFactory.getLogger(logger) as Logger
    val before = target.level
    appender.start()
    target.level = level
    target.isAdditive = false
    target.addAppender(appender)
    try {
        action()
    } finally {
        target.detachAppender(appender)
        target.isAdditive = true
        target.level = before
    }
    return events
}
