package dev.ratelimit.ktor.client

import dev.ratelimit.jvm.perSecond
import io.kotest.core.annotation.Condition
import io.kotest.core.annotation.EnabledIf
import io.kotest.core.spec.Spec
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.get
import io.ktor.http.HttpStatusCode
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlin.reflect.KClass

/** CI installs nginx, so there this always runs. */
internal class NginxIsHere : Condition {
    override fun evaluate(kclass: KClass<out Spec>): Boolean = Nginx.binary != null
}

@EnabledIf(NginxIsHere::class)
class NginxTest :
    FunSpec({
        suspend fun HttpClient.statuses(port: Int, count: Int) =
            coroutineScope { List(count) { async { get("http://127.0.0.1:$port/").status } }.awaitAll() }

        test("at the limit of nginx's limit_req, not one request is refused; without the limiter many are") {
            Nginx.start("20r/s", "burst=5 nodelay").use { nginx ->
                HttpClient(CIO).use { it.statuses(nginx.port, 60) shouldContain HttpStatusCode.TooManyRequests }
            }
            Nginx.start("20r/s", "burst=5 nodelay").use { nginx ->
                HttpClient(CIO) {
                    // nginx lets six pass at once; the sixth is for requests that overtake each other on their way.
                    install(HttpRequestRateLimit) { otherHosts(20.perSecond.withBurst(5)) }
                }.use { client ->
                    client.statuses(nginx.port, 80).groupingBy { it }.eachCount() shouldBe mapOf(HttpStatusCode.OK to 80)
                }
            }
        }
    })
