"""What the benchmark tells a server's process."""

BUNDLE = "NORIA_BENCHMARK_BUNDLE"
"""Environment variable with the folder of the bundle."""
