package dev.ratelimit;

import dev.ratelimit.build.ApiDump;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class ApiDumpTest {
    @Test
    void thePublicApiIsTheCommittedOne() throws IOException {
        ApiDump.check("ratelimit-api");
    }
}
