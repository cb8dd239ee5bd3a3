"""The embedded default: everything that `make demo` starts on one machine. Never imported by the package."""
