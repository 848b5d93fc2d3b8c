"""Where the service runs: a `ServingBackend` for each place, in a file of its own."""
