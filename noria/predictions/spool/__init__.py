"""The spool: a local log of what was answered, which survives a killed process, until the prediction store has it."""
