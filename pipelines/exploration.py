"""The first three steps of training, for a look at the data."""

from zenml import pipeline

from noria.config import UseCase
from noria.labelled_cases import case_settings
from steps.training import explore, ingest, validate


@pipeline(name="exploration")
def exploration(use_case: UseCase, fingerprint: str, cases_known: bool = False) -> None:
    """From the sources to a report on them."""
    raw, _ = ingest(use_case.data, fingerprint, case_settings(use_case, known=cases_known))
    table, quarantined = validate(raw, use_case)
    explore(table, quarantined, use_case)
