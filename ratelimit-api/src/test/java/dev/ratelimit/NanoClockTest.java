package dev.ratelimit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class NanoClockTest {
    /** An hour is room for a system clock that is set while the tests run; a wrong zero or unit is off by decades. */
    @Test
    void theSystemClockCountsFromTheEpoch() {
        Instant read = Instant.EPOCH.plusNanos(NanoClock.system().nanoTime());
        assertTrue(
                Duration.between(read, Instant.now()).abs().compareTo(Duration.ofHours(1)) < 0, () -> "read " + read);
    }

    @Test
    void theSystemClockNeverStepsBack() {
        NanoClock clock = NanoClock.system();
        long last = clock.nanoTime();
        for (int i = 0; i < 100_000; i++) {
            long now = clock.nanoTime();
            assertTrue(now - last >= 0);
            last = now;
        }
    }

    @Test
    void thereIsOneSystemClock() {
        assertSame(NanoClock.system(), NanoClock.system());
    }

    @Test
    void aLambdaIsAClock() {
        NanoClock fixed = () -> 42;
        assertEquals(42, fixed.nanoTime());
    }
}
