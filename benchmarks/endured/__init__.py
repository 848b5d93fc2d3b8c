"""Load with faults on purpose: all at once in a long load, and one at a time in trials."""
