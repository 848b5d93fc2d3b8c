"""What `benchmarks/scaling.py` measures."""
