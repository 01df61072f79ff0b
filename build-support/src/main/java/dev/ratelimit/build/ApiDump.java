package dev.ratelimit.build;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Stream;
import org.jetbrains.kotlin.abi.tools.AbiFilters;
import org.jetbrains.kotlin.abi.tools.AbiTools;
import org.jetbrains.kotlin.abi.tools.AbiToolsFactory;

/** Compares what a module's class files show the world with {@code api/<module>.api}, which is committed. */
public final class ApiDump {
    private static final AbiFilters EVERYTHING = new AbiFilters(Set.of(), Set.of(), Set.of(), Set.of());

    private ApiDump() {}

    /**
     * Fails when the public API of {@code target/classes} is not the committed one. With {@code -Dapi.update=true} it
     * writes the committed file instead.
     */
    public static void check(String module) throws IOException {
        Path base = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
        Path committed = base.resolve("api").resolve(module + ".api");
        Path actual = base.resolve("target").resolve(module + ".api");
        AbiTools tools = ServiceLoader.load(AbiToolsFactory.class)
                .findFirst()
                .orElseThrow()
                .get();

        String dump = dump(tools, base.resolve("target/classes"));
        Files.writeString(actual, dump);
        if (Boolean.getBoolean("api.update")) {
            Files.createDirectories(committed.getParent());
            Files.writeString(committed, dump);
            return;
        }

        String howTo = "If that is meant, run\n\n    mvn -B -ntp test -pl " + module
                + " -am -Dtest=ApiDumpTest -Dapi.update=true\n\nand commit " + module + "/api/" + module + ".api.";
        if (Files.notExists(committed)) {
            throw new AssertionError(module + " has no committed dump of its public API. " + howTo);
        }
        String diff = tools.filesDiff(committed.toFile(), actual.toFile());
        if (diff != null && !diff.isBlank()) {
            throw new AssertionError("The public API of " + module + " has changed:\n\n" + diff + "\n\n" + howTo);
        }
    }

    private static String dump(AbiTools tools, Path classes) throws IOException {
        if (Files.notExists(classes)) {
            return "";
        }
        List<File> files;
        try (Stream<Path> paths = Files.walk(classes)) {
            files = paths.filter(path -> path.toString().endsWith(".class") && !path.endsWith("module-info.class"))
                    .sorted()
                    .map(Path::toFile)
                    .toList();
        }
        StringBuilder dump = new StringBuilder();
        tools.printJvmDump(dump, files, EVERYTHING);
        return dump.toString();
    }
}
