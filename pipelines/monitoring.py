"""The monitoring pipeline."""

from zenml import pipeline

from noria.config import UseCase
from steps.deployment import champion
from steps.monitoring import check, collect, join_labels


@pipeline(name="monitoring")
def monitoring(use_case: UseCase, labels: str) -> None:
    """From the prediction log and late labels to a verdict."""
    bundle = champion(use_case.name)
    joined = join_labels(bundle, use_case, labels)
    check(bundle, collect(use_case, joined), use_case)
