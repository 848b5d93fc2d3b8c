"""The worlds of `benchmarks/retraining.py`: streams of cases, models of every age, and who retrains when."""
