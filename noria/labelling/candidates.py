"""Which logged predictions may be asked for: those whose label will not come by itself soon."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from noria.config import UseCase
from noria.predictions import PredictionStore
from noria.system.errors import NoriaError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 20_000
"""Most predictions that are read; of more, a random sample."""


@dataclass(frozen=True)
class Candidates:
    """Predictions of one model version, with the columns of `PredictionStore.window`."""

    unlabelled: pd.DataFrame
    """Those that may be asked for."""
    labelled: pd.DataFrame
    """Those whose label is known."""
    waiting: int
    """Predictions without a label that are left out, because it will come by itself."""


def read_candidates(
    store: PredictionStore, use_case: UseCase, version: str, now: datetime, *, include_young: bool = False
) -> Candidates:
    """The predictions of a version that may be asked for.

    A prediction that is younger than `problem.label_delay_days` is left out, because its label is still to come; an
    older one without a label is not going to get it. Labels of a use case never come by themselves if predictions are
    older than the delay and none has come: then all may be asked for.

    Args:
        store: where the predictions are.
        use_case: gives the delay.
        version: of the model.
        now: with a zone.
        include_young: ask for predictions whose label is still to come, too.

    Raises:
        NoriaError: no prediction may be asked for.
    """
    until = now + timedelta(microseconds=1)
    unlabelled = store.window(_EPOCH, until, limit=_MOST, version=version, labelled=False)
    labelled = store.window(_EPOCH, until, limit=_MOST, version=version, labelled=True)
    is_old = unlabelled["event_at"] <= now - timedelta(days=use_case.problem.label_delay_days)
    if include_young or (is_old.any() and not store.has_own_labels()):
        return Candidates(unlabelled, labelled, 0)
    if len(unlabelled) and not is_old.any():
        raise NoriaError(
            f"the labels of all {len(unlabelled):,} predictions without one are still to come: they are younger than "
            f"{use_case.problem.label_delay_days:g} days",
            code="labelling.labels_to_come",
            where="problem.label_delay_days",
            fix="wait for them, or ask now with `--young`",
        )
    return Candidates(unlabelled[is_old].reset_index(drop=True), labelled, int((~is_old).sum()))
