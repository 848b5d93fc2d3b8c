"""The flusher: a process beside the workers that moves the spool to the prediction store, and scheduled tasks."""
