package dev.ratelimit.samples.java;

import dev.ratelimit.KeyedRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.jvm.RateLimiters;
import dev.ratelimit.samples.LocalServer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * OkHttp under a limit for each host. An interceptor alone would wait on the dispatcher's threads, of which there are 64, and with them
 * taken by one slow host no call to any other would run. So calls that are enqueued get their permits before the dispatcher gets them.
 */
public final class OkHttp {
    private OkHttp() {}

    /** Waits for permits: on the caller's own thread for {@code execute()}, on none for {@link #enqueue}. */
    public record RateLimitInterceptor(KeyedRateLimiter<String> hosts) implements Interceptor {
        /** Marks a request that has its permit. */
        private enum Permit {
            GRANTED
        }

        @Override
        public Response intercept(Chain chain) throws IOException {
            Request request = chain.request();
            if (request.tag(Permit.class) == null) {
                try {
                    hosts.get(request.url().host()).acquireBlocking();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new InterruptedIOException("interrupted while waiting for a permit");
                }
            }
            return chain.proceed(request);
        }

        /** Hands the request to the client's dispatcher when its permit has come. Whoever gets the response closes it. */
        public CompletableFuture<Response> enqueue(Call.Factory client, Request request) {
            Request granted =
                    request.newBuilder().tag(Permit.class, Permit.GRANTED).build();
            return RateLimiters.decorateAsync(hosts.get(request.url().host()), () -> started(client.newCall(granted)))
                    .get();
        }

        private static CompletableFuture<Response> started(Call call) {
            CompletableFuture<Response> answer = new CompletableFuture<>();
            call.enqueue(new Callback() {
                @Override
                public void onResponse(Call call, Response response) {
                    if (!answer.complete(response)) response.close();
                }

                @Override
                public void onFailure(Call call, IOException e) {
                    answer.completeExceptionally(e);
                }
            });
            answer.whenComplete((response, failure) -> {
                if (answer.isCancelled()) call.cancel();
            });
            return answer;
        }
    }

    public static void main(String[] args) throws IOException {
        RateLimitInterceptor limit = new RateLimitInterceptor(
                RateLimiters.keyed("hosts", RateLimit.perSecond(20).withBurst(1)));
        OkHttpClient client = new OkHttpClient.Builder().addInterceptor(limit).build();

        try (LocalServer server = LocalServer.start()) {
            long start = System.nanoTime();
            List<CompletableFuture<Integer>> codes = IntStream.range(0, 4)
                    .mapToObj(i -> new Request.Builder()
                            .url(server.page("/" + i).toString())
                            .build())
                    .map(request -> limit.enqueue(client, request).thenApply(response -> {
                        try (response) {
                            return response.code();
                        }
                    }))
                    .toList();
            codes.forEach(CompletableFuture::join);
            Request last =
                    new Request.Builder().url(server.page("/last").toString()).build();
            try (Response response = client.newCall(last).execute()) {
                System.out.println(response.body().string() + ", in at least 200 ms: "
                        + (System.nanoTime() - start >= 200_000_000));
            }
        } finally {
            client.dispatcher().executorService().shutdown();
            client.connectionPool().evictAll();
        }
    }
}
