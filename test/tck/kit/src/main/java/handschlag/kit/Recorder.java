package handschlag.kit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** Keeps the outcome of every case by name. The platform finds it as a service, so it also hears of what the kit swallows. */
public final class Recorder implements TestExecutionListener {
    /** In the order in which the cases ended. */
    static final List<Map<String, Object>> CASES = new ArrayList<>();

    private final Map<String, Long> begun = new ConcurrentHashMap<>();

    @Override
    public void executionStarted(TestIdentifier test) {
        begun.put(test.getUniqueId(), System.nanoTime());
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        record(test, "skipped", reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        var outcome = switch (result.getStatus()) {
            case SUCCESSFUL -> "succeeded";
            case FAILED -> "failed";
            case ABORTED -> "aborted";
        };
        record(test, outcome, result.getThrowable().map(Recorder::sentence).orElse(null));
    }

    private synchronized void record(TestIdentifier test, String outcome, String why) {
        // A class or an engine is of interest only when it breaks: then its cases never ran.
        if (!test.isTest() && (outcome.equals("succeeded") || outcome.equals("skipped"))) return;
        var entry = new LinkedHashMap<String, Object>();
        entry.put("name", test.getDisplayName());
        entry.put("outcome", outcome);
        var since = begun.get(test.getUniqueId());
        entry.put("seconds", since == null ? 0 : Math.round((System.nanoTime() - since) / 1e7) / 100.0);
        if (why != null) entry.put("why", why);
        CASES.add(entry);
        System.out.printf("%-9s %6.2f s  %s%n", outcome, ((Number) entry.get("seconds")).doubleValue(), test.getDisplayName());
    }

    private static String sentence(Throwable cause) {
        return (cause.getClass().getSimpleName() + ": " + cause.getMessage()).replaceAll("\\s+", " ").strip();
    }
}
