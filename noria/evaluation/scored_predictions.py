"""A bundle's answers on test rows, beside the truth."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle, MetricValue
from noria.config import UseCase
from noria.data.row_copies import content_keys, copied
from noria.metrics.bootstrap import Floats, Statistic
from noria.metrics.metrics import bootstrap_intervals, metric_statistics
from noria.system.errors import NoriaError
from noria.tabular.label_text import as_labels

_FEWEST_BLOCKS = 30


@dataclass(frozen=True)
class ScoredPredictions:
    """What a bundle answered on the n rows that it could answer, and what was true of them."""

    use_case: UseCase
    bundle: Bundle
    frame: pd.DataFrame
    """The n rows as they came."""
    table: pd.DataFrame
    """The n answers, as `Bundle.predict` gives them."""
    truth: NDArray[np.str_] | Floats
    scores: Floats
    places: NDArray[np.int64]
    """(n,) where each row stood in the test table."""
    blocks: NDArray[np.int64] | None
    """Rows that are drawn together in a bootstrap (a day, a group, copies); None: each by itself."""
    unusable: int
    """Rows that the bundle could not answer; they are left out."""

    @property
    def decisions(self) -> NDArray[np.str_]:
        """(n,) "act", "ask" or "leave"."""
        return self.table["decision"].to_numpy(dtype=str)

    def only(self, rows: NDArray[np.bool_]) -> "ScoredPredictions":
        """The same for some of the rows."""
        return replace(
            self,
            frame=self.frame[rows],
            table=self.table[rows],
            truth=self.truth[rows],
            scores=self.scores[rows],
            places=self.places[rows],
            blocks=None if self.blocks is None else np.unique(self.blocks[rows], return_inverse=True)[1],
        )

    def statistics(self) -> dict[str, Statistic]:
        """Metric → its weighted form over these rows."""
        return metric_statistics(self.use_case, self.truth, self.scores, self.decisions, **self._answered)

    def metrics(self, *names: str) -> dict[str, MetricValue]:
        """These metrics, or every one, with their intervals; what is undefined on these rows is left out."""
        every = self.statistics()
        found = {name: every[name] for name in names or every}
        values = {name: float(statistic(np.ones((1, len(self.truth))))[0]) for name, statistic in found.items()}
        ranges = bootstrap_intervals(found, self.use_case, len(self.truth), self.blocks)
        return {
            name: MetricValue(value=value, low=ranges[name][0], high=ranges[name][1])
            for name, value in values.items()
            if np.isfinite([value, *ranges[name]]).all()
        }

    @property
    def _answered(self) -> dict[str, Any]:
        if self.use_case.problem.task != "multiclass":
            return {}
        return {"classes": self.bundle.manifest.classes, "predictions": self.table["prediction"].to_numpy()}


def score_rows(bundle: Bundle, test: pd.DataFrame, use_case: UseCase) -> ScoredPredictions:
    """Let the bundle answer the test rows.

    Raises:
        NoriaError: a column that the bundle needs is missing, or it can answer no row at all.
    """
    answers = bundle.answer(test)
    usable = (answers.table["error"] == "").to_numpy()
    if not usable.any():
        first = answers.table["error"].iloc[0] if len(test) else "there are no rows"
        raise NoriaError(
            "the model can answer none of the test rows",
            code="evaluation.rows_unanswered",
            where=str(first),
            fix="check the test rows",
        )
    truth = test[use_case.data.target]
    found = truth.to_numpy(dtype=np.float64) if use_case.problem.task == "regression" else as_labels(truth)
    whole = ScoredPredictions(
        use_case=use_case,
        bundle=bundle,
        frame=test,
        table=answers.table,
        truth=found,
        scores=answers.scores,
        places=np.arange(len(test)),
        blocks=_blocks(test, use_case),
        unusable=int((~usable).sum()),
    )
    return whole.only(usable)


def _blocks(test: pd.DataFrame, use_case: UseCase) -> NDArray[np.int64] | None:
    """Groups, days for a split by time, or copies: their rows resemble one another, and counting each by itself would
    promise more certainty than there is. None where fewer than 30 blocks would be left to draw from."""
    split = use_case.split
    if split.method == "group":
        blocks, found = pd.factorize(test[split.group], use_na_sentinel=False)
    elif split.method == "time":
        blocks, found = pd.factorize(pd.to_datetime(test[use_case.data.time]).dt.normalize(), use_na_sentinel=False)
    elif split.copies == "together" and copied(keys := content_keys(test, use_case)).any():
        blocks, found = pd.factorize(pd.Series(keys))
    else:
        return None
    return blocks.astype(np.int64) if len(found) >= _FEWEST_BLOCKS else None
