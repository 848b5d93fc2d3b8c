"""Metrics for Prometheus; BentoML aggregates them over the workers and serves them at /metrics."""

from collections import Counter as Tally
from collections.abc import Sequence
from functools import cache
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

# `traffic` is production or test
REQUESTS = Counter("noria_requests", "Requests by endpoint and HTTP status", ["endpoint", "status", "traffic"])
REQUEST_SECONDS = Histogram(
    "noria_request_seconds",
    "Time from a request's arrival to its response",
    ["endpoint"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
PREDICTIONS = Counter("noria_predictions", "Predicted rows", ["version", "variant", "decision", "traffic"])
LABELS = Counter("noria_labels", "True labels received, by whether their prediction is known", ["known", "traffic"])
VARIANT_ERRORS = Counter(
    "noria_variant_errors", "Requests that a variant failed to answer", ["version", "variant", "traffic"]
)
# each worker reports the whole backlog, so only the most recent value counts
BACKLOG = Gauge("noria_spool_bytes", "Bytes that wait for the prediction store", multiprocess_mode="mostrecent")
BACKLOG_AGE = Gauge("noria_spool_seconds", "Age of the oldest waiting event", multiprocess_mode="mostrecent")
DROPPED = Gauge("noria_dropped", "Predictions that could not be recorded", multiprocess_mode="sum")
READY = Gauge("noria_ready", "1 while predictions are made and recorded", multiprocess_mode="min")


@cache
def _labelled(metric: Any, *labels: str) -> Any:
    return metric.labels(*labels)


def traffic_label(is_test: bool) -> str:
    """The value of the label `traffic`."""
    return "test" if is_test else "production"


def count_request(endpoint: str, status: int, seconds: float, is_test: bool) -> None:
    """Count one request."""
    _labelled(REQUESTS, endpoint, str(status), traffic_label(is_test)).inc()
    _labelled(REQUEST_SECONDS, endpoint).observe(seconds)


def count_predictions(version: str, variant: str, decisions: Sequence[str], is_test: bool) -> None:
    """Count predicted rows."""
    traffic = traffic_label(is_test)
    tally = Tally(decisions) if len(decisions) > 1 else {decisions[0]: 1}
    for decision, number in tally.items():
        _labelled(PREDICTIONS, version, variant, decision, traffic).inc(number)
