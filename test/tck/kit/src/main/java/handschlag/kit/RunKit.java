package handschlag.kit;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import org.eclipse.dataspacetck.dsp.system.DspSystemLauncher;
import org.eclipse.dataspacetck.runtime.TckRuntime;

/**
 * Runs all cases of the kit once: RunKit PROPERTIES RESULT AUTHORITY. Writes what the platform counted and how each case ended as
 * JSON to RESULT; whoever reads that judges. AUTHORITY is the certificate that the connector's one is checked against. Ends with 0 when the cases were run, however they ended, and with 3 otherwise.
 */
public final class RunKit {
    private RunKit() {}

    public static void main(String[] args) {
        var status = 3;
        try {
            trust(Path.of(args[2]));
            run(Path.of(args[0]), Path.of(args[1]));
            status = 0;
        } catch (Throwable cause) {
            cause.printStackTrace();
        }
        System.out.flush();
        // The kit leaves threads behind that would keep the process alive.
        System.exit(status);
    }

    /** The kit's client asks the platform for the trusted authorities, which reads them from a key store. */
    private static void trust(Path authority) throws Exception {
        var password = "certificates are public";
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (var in = Files.newInputStream(authority)) {
            store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        var file = Files.createTempFile("authority", ".p12");
        file.toFile().deleteOnExit();
        try (var out = Files.newOutputStream(file)) {
            store.store(out, password.toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", file.toString());
        System.setProperty("javax.net.ssl.trustStorePassword", password);
    }

    private static void run(Path settings, Path result) throws Exception {
        var properties = new Properties();
        try (var reader = Files.newBufferedReader(settings)) {
            properties.load(reader);
        }
        var runtime = TckRuntime.Builder.newInstance()
                .launcher(DspSystemLauncher.class)
                .addPackage("org.eclipse.dataspacetck.dsp.verification")
                .monitor(new ErrorMonitor());
        properties.forEach((name, value) -> runtime.property((String) name, (String) value));

        var summary = runtime.build().execute();

        Map<String, Object> counted = new LinkedHashMap<>();
        counted.put("found", summary.getTestsFoundCount());
        counted.put("succeeded", summary.getTestsSucceededCount());
        counted.put("failed", summary.getTestsFailedCount());
        counted.put("skipped", summary.getTestsSkippedCount());
        counted.put("aborted", summary.getTestsAbortedCount());
        counted.put("containersFailed", summary.getContainersFailedCount());
        var all = Map.of("counted", counted, "cases", Recorder.CASES);
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(result.toFile(), all);
    }
}
