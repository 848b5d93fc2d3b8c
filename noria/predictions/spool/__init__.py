"""The spool: a local log of events, which survives a killed process, until the prediction store has them."""
