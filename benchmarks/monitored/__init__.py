"""What `benchmarks/monitoring.py` measures: the rows, the store that holds them, and one measurement in a process."""
