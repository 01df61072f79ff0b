package dev.ratelimit;

import java.time.Instant;

/** {@link System#nanoTime()}, shifted once so that its zero is the Unix epoch. */
final class SystemNanoClock implements NanoClock {

    static final SystemNanoClock INSTANCE = new SystemNanoClock();

    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final long shift;

    private SystemNanoClock() {
        Instant now = Instant.now();
        shift = now.getEpochSecond() * NANOS_PER_SECOND + now.getNano() - System.nanoTime();
    }

    @Override
    public long nanoTime() {
        return System.nanoTime() + shift;
    }
}
