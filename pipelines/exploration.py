"""The first three steps of training, for a look at the data."""

from zenml import pipeline

from noria.config import UseCase
from steps.training import explore, ingest, validate


@pipeline(name="exploration")
def exploration(use_case: UseCase, fingerprint: str) -> None:
    """From the sources to a report on them."""
    raw = ingest(use_case.data, fingerprint)
    table, quarantined = validate(raw, use_case)
    explore(table, quarantined, use_case)
