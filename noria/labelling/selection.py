"""Which logged predictions should get a label, and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle, Manifest
from noria.bundle.reference_sample import answer_column
from noria.labelling.asked import RANDOM_SHARE
from noria.labelling.design import Knowledge, Pool
from noria.labelling.sample import Sample, draw_sample
from noria.labelling.signals import closeness, density_ratio, disagreement, label_information
from noria.labelling.space import model_space
from noria.predictions import inputs_of
from noria.system.errors import NoriaError

Reason = Literal["uncertain", "disagreement", "moved", "rare", "random"]
Numbers = NDArray[np.float64]
_MOVED = 1.5
"""A region has moved where cases like it are this many times as frequent as in training."""
_APART = 0.1
"""Variants disagree where a probability differs by this much."""


@dataclass(frozen=True)
class WantedLabel:
    """A prediction whose label is wanted."""

    prediction_id: str
    entity: str | None
    """The case, if the use case names one."""
    at: datetime
    """When it was predicted (UTC)."""
    inputs: dict[str, Any]
    """Input column → value, as the store has it."""
    prediction: str | float
    probability: float | None
    decision: str
    selected_by: Reason
    """`uncertain`: the answer is near another decision; `disagreement`: the variants' answers lie apart; `moved`: cases
    like it have become more frequent; `rare`: few learned rows are like it; `random`: drawn to judge the model by."""
    reason: str
    """The same for people, with figures."""
    probability_selected: float
    """How likely the case was to be selected; its reciprocal is the weight of its label in an estimate."""


def select_cases(
    bundles: Sequence[Bundle],
    unlabelled: pd.DataFrame,
    budget: int,
    *,
    labelled: pd.DataFrame | None = None,
    hidden: Collection[str] = (),
    random_share: float = RANDOM_SHARE,
    seed: int = 0,
) -> list[WantedLabel]:
    """Choose the predictions whose labels would teach most, and some at random; see `design` and `sample`.

    A label is wanted where the answer is near another decision (which follows from what decisions are worth), where the
    rows learned so far leave the answer open, where variants disagree, and where cases have become more frequent than
    in training. A case that was predicted several times is asked for once.

    Args:
        bundles: the model whose predictions these are, then other variants that answer beside it.
        unlabelled: n logged predictions of the first one, with the columns of `PredictionStore.window`.
        budget: how many labels are wanted, at least 1.
        labelled: logged predictions that have a label already: the next training learns from them.
        hidden: input columns of which the store holds hashes or pieces only; they count for nothing.
        random_share: share of the budget that is drawn at random, 0 to 1.
        seed: of the draw.

    Returns:
        At most `budget` predictions: those that teach most, best first, then the random ones.

    Raises:
        NoriaError: the budget is below 1, or there are no predictions.
    """
    if budget < 1:
        raise NoriaError(
            f"a budget of {budget} labels asks for none",
            code="labelling.budget_invalid",
            fix="give a budget of at least 1",
        )
    cases = _newest_of_each(unlabelled)
    if cases.empty:
        raise NoriaError(
            "there is no prediction without a label",
            code="labelling.nothing_to_ask",
            fix="wait until there are predictions whose label is not known",
        )
    signals = _Signals.measure(bundles, cases, labelled, hidden)
    sample = draw_sample(signals.pool, signals.known, budget, random_share=random_share, seed=seed)
    return [
        _wanted(cases, int(row), float(sample.probability[place]), *signals.reason(int(row), place, sample))
        for place, row in enumerate(sample.rows)
    ]


@dataclass(frozen=True)
class _Signals:
    """What is known of n candidates, each (n,)."""

    manifest: Manifest
    scores: Numbers
    close: Numbers
    apart: Numbers
    ratio: Numbers
    pool: Pool
    known: Knowledge

    @classmethod
    def measure(
        cls, bundles: Sequence[Bundle], cases: pd.DataFrame, labelled: pd.DataFrame | None, hidden: Collection[str]
    ) -> "_Signals":
        bundle, manifest = bundles[0], bundles[0].manifest
        task, source = manifest.task, _score_column(manifest)
        reference = bundle.reference()
        later = cases.iloc[:0] if labelled is None else labelled
        rows = [inputs_of(frame).reindex(columns=manifest.schema_.names) for frame in (later, cases)]
        learned, both = model_space(manifest.schema_, reference, pd.concat(rows, ignore_index=True), hidden)
        taught, asked = both[: len(later)], both[len(later) :]
        scores = cases[source].to_numpy(dtype=np.float64)
        close = closeness(scores, manifest)
        # the committee needs the values that were sent
        apart = np.zeros(len(cases)) if hidden else disagreement(bundles, inputs_of(cases))
        ratio = density_ratio(learned, asked)
        each = _rows_each(manifest, len(reference))
        information = label_information(reference[answer_column(source, manifest)].to_numpy(np.float64), task) * each
        information = np.concatenate([information, label_information(later[source].to_numpy(np.float64), task)])
        known = Knowledge(np.vstack([learned, taught]), information, len(reference) * each + len(later))
        factor = close * (1.0 + apart) * np.clip(ratio, 1.0, None)
        pool = Pool(asked, label_information(scores, task), close, factor)
        return cls(manifest, scores, close, apart, ratio, pool, known)

    def reason(self, row: int, place: int, sample: Sample) -> tuple[Reason, str]:
        """Why a row is in the sample: the signal in which it stands out most among the candidates."""
        if sample.is_random[place]:
            return "random", "drawn at random, so that the model can be judged without bias"
        found: dict[Reason, float] = {"rare": _rank(sample.unknown, row)}
        if self.manifest.task != "regression" or self.manifest.policy.act_from is not None:
            found["uncertain"] = _rank(self.close, row)
        if self.apart[row] >= _APART:
            found["disagreement"] = _rank(self.apart, row)
        if self.ratio[row] >= _MOVED:
            found["moved"] = _rank(self.ratio, row)
        name = max(found, key=lambda each: found[each])
        return name, self._sentence(name, row)

    def _sentence(self, name: Reason, row: int) -> str:
        if name == "disagreement":
            return f"the variants' answers differ by {self.apart[row]:.2f}"
        if name == "moved":
            return f"cases like it are {self.ratio[row]:.1f} times as frequent as in training"
        if name == "rare":
            return "few learned rows are like it"
        policy = self.manifest.policy
        if self.manifest.task == "multiclass":
            return f"the likeliest class has a probability of {self.scores[row]:.2f} only"
        if self.manifest.task == "regression":
            return f"{self.scores[row]:.4g} is near {policy.act_from:.4g}, from which on we act"
        threshold = 0.5 if policy.threshold is None else policy.threshold
        return f"the probability {self.scores[row]:.2f} is near the threshold {threshold:.2f}"


def _newest_of_each(frame: pd.DataFrame) -> pd.DataFrame:
    """Each case once, in its newest prediction; rows without a case all stay."""
    again = frame["entity"].notna() & frame.duplicated("entity", keep="last")
    return frame[~again].reset_index(drop=True)


def _rows_each(manifest: Manifest, rows: int) -> float:
    """How many learned rows each row of the reference sample stands for."""
    return 1.0 if manifest.learned is None else max(manifest.learned.rows / max(rows, 1), 1.0)


def _score_column(manifest: Manifest) -> str:
    return "prediction" if manifest.task == "regression" else "probability"


def _rank(values: Numbers, row: int) -> float:
    """Share of the candidates whose value is smaller."""
    return float((values < values[row]).mean())


def _wanted(cases: pd.DataFrame, row: int, probability: float, name: Reason, reason: str) -> WantedLabel:
    case = cases.iloc[row]
    inputs = {str(name): value for name, value in inputs_of(cases.iloc[[row]]).iloc[0].items()}
    likely = case["probability"]
    return WantedLabel(
        prediction_id=str(case["prediction_id"]),
        entity=None if case["entity"] is None else str(case["entity"]),
        at=case["at"].to_pydatetime(),
        inputs=inputs,
        prediction=case["prediction"],
        probability=None if pd.isna(likely) else float(likely),
        decision=str(case["decision"]),
        selected_by=name,
        reason=reason,
        probability_selected=probability,
    )
