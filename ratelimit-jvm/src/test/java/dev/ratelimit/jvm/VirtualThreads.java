package dev.ratelimit.jvm;

import java.lang.reflect.Method;

/** Virtual threads where the JDK has them, which is from 21 on; plain ones elsewhere. */
final class VirtualThreads {
    private VirtualThreads() {}

    static Thread unstarted(Runnable task) {
        Method ofVirtual;
        try {
            ofVirtual = Thread.class.getMethod("ofVirtual");
        } catch (NoSuchMethodException e) {
            return new Thread(task);
        }
        try {
            Method unstarted = Class.forName("java.lang.Thread$Builder").getMethod("unstarted", Runnable.class);
            return (Thread) unstarted.invoke(ofVirtual.invoke(null), task);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("this JDK has virtual threads, but not as they were", e);
        }
    }
}
