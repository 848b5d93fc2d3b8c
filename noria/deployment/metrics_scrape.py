"""The metrics of a service that `status` shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScrapedMetrics:
    """Sums over all workers of a server."""

    served: int
    """Requests since it was started, including refused ones."""
    refused: int
    """Of those, the ones that were not answered with 200."""
    waiting_bytes: int
    """Bytes that wait in the spool for the prediction store."""
    waiting_s: float | None
    """Age of the oldest waiting event in seconds; None: an older service does not report it."""
    dropped: int
    """Predictions that could not be recorded."""


def parse_metrics(text: str) -> ScrapedMetrics:
    """From Prometheus' text format."""
    from prometheus_client.parser import text_string_to_metric_families

    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def values(name: str) -> list[float]:
        return [sample.value for sample in samples if sample.name == name]

    requests = [sample for sample in samples if sample.name == "noria_requests_total"]
    seconds = values("noria_spool_seconds")
    return ScrapedMetrics(
        served=int(sum(sample.value for sample in requests)),
        refused=int(sum(sample.value for sample in requests if sample.labels["status"] != "200")),
        waiting_bytes=int(sum(values("noria_spool_bytes"))),
        waiting_s=max(seconds) if seconds else None,
        dropped=int(sum(values("noria_dropped"))),
    )
