package dev.ratelimit.samples;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.atomic.AtomicInteger;

/** What the samples call instead of somebody's API: answers every path, on 127.0.0.1, as long as it is open. */
public final class LocalServer implements AutoCloseable {
    private final HttpServer server;
    private final AtomicInteger refusalsLeft;

    private LocalServer(HttpServer server, int refusals) {
        this.server = server;
        this.refusalsLeft = new AtomicInteger(refusals);
    }

    /** A server that answers {@code GET /x} with {@code page /x}. */
    public static LocalServer start() throws IOException {
        return start(0);
    }

    /** As {@link #start()}, but the first requests are refused: 503, try again later. */
    public static LocalServer start(int refusals) throws IOException {
        InetSocketAddress anyFreePort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        HttpServer http = HttpServer.create(anyFreePort, 0);
        LocalServer local = new LocalServer(http, refusals);
        http.createContext("/", local::answer);
        http.start();
        return local;
    }

    /** The address of a page. */
    public URI page(String path) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
    }

    private void answer(HttpExchange exchange) throws IOException {
        boolean isRefused = refusalsLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
        byte[] body = (isRefused ? "later" : "page " + exchange.getRequestURI()).getBytes(UTF_8);
        if (isRefused) {
            exchange.getResponseHeaders().add("Retry-After", "1");
        }
        exchange.sendResponseHeaders(isRefused ? 503 : 200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
