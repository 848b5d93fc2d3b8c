"""Files, locks, processes, signals, progress, the workspace, and the error that users read."""
