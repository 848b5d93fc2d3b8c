"""Where the service runs: one backend per file."""
