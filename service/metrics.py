"""Counters for Prometheus; BentoML adds them up over the workers and shows them at /metrics."""

from collections import Counter as Tally

from prometheus_client import Counter

from noria.api import PredictResponse

REQUESTS = Counter("noria_requests", "Requests by endpoint and HTTP status", ["endpoint", "status"])
PREDICTIONS = Counter("noria_predictions", "Answered rows", ["version", "variant", "decision"])
LABELS = Counter("noria_labels", "True labels received, by whether their prediction is known", ["known"])


def count_predictions(response: PredictResponse) -> None:
    """Add the answered rows."""
    tally = Tally((answer.version, answer.variant, answer.decision) for answer in response.predictions)
    for labels, number in tally.items():
        PREDICTIONS.labels(*labels).inc(number)
