"""The monitoring pipeline."""

from zenml import pipeline

from noria.config import UseCase
from noria.monitoring import LoopNews
from steps.deployment import champion
from steps.monitoring import check, collect, join_labels


@pipeline(name="monitoring")
def monitoring(use_case: UseCase, labels: str, now: str = "", tried: str = "", news: LoopNews | None = None) -> None:
    """From the prediction log and late labels to a verdict.

    `now` (ISO 8601) is the time of the check, if not now; `tried` replaces an advice that did not help; `news` is what
    the loop has done.
    """
    bundle = champion(use_case)
    joined = join_labels(bundle, use_case, labels, now)
    check(bundle, collect(use_case, joined, now), use_case, labels, tried, news)
