"""Figures for Prometheus; BentoML adds them up over the workers and shows them at /metrics."""

from collections import Counter as Tally
from collections.abc import Sequence
from functools import cache
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("noria_requests", "Requests by endpoint and HTTP status", ["endpoint", "status"])
SECONDS = Histogram(
    "noria_request_seconds",
    "From a request's arrival to its answer",
    ["endpoint"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
PREDICTIONS = Counter("noria_predictions", "Answered rows", ["version", "variant", "decision"])
LABELS = Counter("noria_labels", "True labels received, by whether their prediction is known", ["known"])
FAILED = Counter("noria_variant_errors", "Requests that a variant could not answer itself", ["version", "variant"])
# each worker knows of all that waits, and what one said long ago must not count
BACKLOG = Gauge("noria_spool_bytes", "What waits for the prediction store", multiprocess_mode="mostrecent")
WAITS = Gauge("noria_spool_seconds", "How long something has waited for the store", multiprocess_mode="mostrecent")
DROPPED = Gauge("noria_dropped", "Answers that could not be kept", multiprocess_mode="sum")
READY = Gauge("noria_ready", "1 while answers are given and kept", multiprocess_mode="min")


@cache
def _of(metric: Any, *labels: str) -> Any:
    return metric.labels(*labels)


def count_request(endpoint: str, status: int, seconds: float) -> None:
    """Add one request."""
    _of(REQUESTS, endpoint, str(status)).inc()
    _of(SECONDS, endpoint).observe(seconds)


def count_predictions(version: str, variant: str, decisions: Sequence[str]) -> None:
    """Add answered rows."""
    tally = Tally(decisions) if len(decisions) > 1 else {decisions[0]: 1}
    for decision, number in tally.items():
        _of(PREDICTIONS, version, variant, decision).inc(number)
