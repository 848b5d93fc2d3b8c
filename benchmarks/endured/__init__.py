"""A long load with faults on purpose: workers killed, the store stopped, a new model in the middle."""
