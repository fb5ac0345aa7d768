package handschlag.kit;

import org.eclipse.dataspacetck.core.spi.boot.Monitor;

/** Takes the place of the kit's running commentary: what it reports as an error is shown, the rest stands in the result. */
final class ErrorMonitor implements Monitor {
    private boolean error;

    @Override
    public Monitor enableSuccess() {
        return this;
    }

    @Override
    public Monitor enableError() {
        error = true;
        return this;
    }

    @Override
    public Monitor enableBold() {
        return this;
    }

    @Override
    public Monitor resetMode() {
        error = false;
        return this;
    }

    @Override
    public Monitor newLine() {
        return this;
    }

    @Override
    public Monitor message(String message) {
        if (error) System.out.println(message);
        return this;
    }

    @Override
    public Monitor debug(String message) {
        return this;
    }
}
