package dev.ratelimit.jvm

import dev.ratelimit.build.ApiDump
import io.kotest.core.spec.style.FunSpec

class ApiDumpTest :
    FunSpec({
        test("the public API is the committed one") {
            ApiDump.check("ratelimit-jvm")
        }
    })
