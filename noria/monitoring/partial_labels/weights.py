"""How many cases each labelled case stands for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.metrics.bootstrap import Statistic, bootstrap, percentile_interval, stratified_bootstrap
from noria.monitoring.partial_labels.coverage import FEWEST, seldom
from noria.monitoring.results import DecisionCoverage, LabelCoverage
from noria.predictions.records import RANDOM, REVIEW

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]
_BANDS = 5
"""Score bands of equal size within a decision: five take out most of what depends on the score (W. G. Cochran, The
effectiveness of adjustment by subclassification, Biometrics 1968)."""


@dataclass(frozen=True)
class LabelWeights:
    """What n labelled cases stand for."""

    each: Floats
    """(n,) weights with a mean of 1."""
    cells: NDArray[np.int64]
    """(n,) number of the group of alike cases, from 0; the cases of a group weigh the same."""
    cases: int
    """Cases that they all stand for."""

    @property
    def effective(self) -> float:
        """How many labels of cases drawn at random would say as much (L. Kish, Survey sampling, 1965)."""
        return float(self.each.sum() ** 2 / (self.each**2).sum()) if len(self.each) else 0.0

    def value(self, statistic: Statistic) -> float:
        """A metric over all cases that these stand for."""
        return float(statistic(self.each[None, :])[0])

    def draws(
        self,
        statistics: Sequence[Statistic],
        resamples: int,
        seed: int,
        blocks: NDArray[np.int64] | None = None,
    ) -> Floats:
        """(metrics, resamples) the metrics on resamples, paired; cases of a block, (n,) numbers, are drawn together."""
        if blocks is None:
            return stratified_bootstrap(
                statistics, self.each, self.cells, cases=self.cases, resamples=resamples, seed=seed
            )
        weighed = [lambda counts, statistic=statistic: statistic(counts * self.each) for statistic in statistics]
        return bootstrap(weighed, len(self.each), resamples, seed, blocks)

    def interval(
        self,
        statistic: Statistic,
        confidence: float,
        resamples: int,
        seed: int,
        blocks: NDArray[np.int64] | None = None,
    ) -> tuple[float, float]:
        """Percentile interval of a metric over all cases."""
        return percentile_interval(self.draws([statistic], resamples, seed, blocks)[0], confidence)

    def part(self, rows: Flags) -> "LabelWeights":
        """Those of some of the cases, (n,) flags, standing for their share of all."""
        each, share = self.each[rows], self.each[rows].sum() / max(self.each.sum(), 1e-12)
        cells = np.unique(self.cells[rows], return_inverse=True)[1].astype(np.int64)
        return LabelWeights(each / max(each.mean(), 1e-12) if len(each) else each, cells, round(self.cases * share))


@dataclass(frozen=True)
class WeighedLabels:
    """The labelled cases that count, and what they stand for."""

    labelled: pd.DataFrame
    """n labelled predictions, with the columns of `PredictionStore.window`."""
    weights: LabelWeights
    fair: Flags
    """(n,) which of them came to their label regardless of the outcome, as far as is known."""
    coverage: LabelCoverage


def weigh_labels(
    cases: pd.DataFrame, labelled: pd.DataFrame, labels_for: Collection[str], mature_until: datetime
) -> WeighedLabels:
    """Weigh the labelled cases so that they stand for all that are old enough to have a label.

    Where no label comes by itself, but people are asked, they stand for the young ones, too.

    Args:
        cases: all predictions of the time, with the columns of `PredictionStore.label_sources`.
        labelled: those with a usable label, with the columns of `PredictionStore.window`; others are left out.
        labels_for: decisions whose labels come by themselves, as the use case has it.
        mature_until: labels of cases up to this time have had the time to come; it has a zone.
    """
    own = cases["is_labelled"] & cases["selected_by"].isna()
    if own.any():
        cases = cases[cases["event_at"] <= mature_until]
    cases = cases.reset_index(drop=True)
    place = pd.Series(np.arange(len(labelled)), index=labelled["prediction_id"])
    place = place[~place.index.duplicated()]
    row = place.reindex(cases["prediction_id"]).to_numpy()  # NaN: no usable label
    sources = _Sources.of(cases, ~np.isnan(row), labels_for)
    found = _Weighing(np.zeros(len(cases)), np.full(len(cases), -1))
    decisions = [found.add(str(each), cases, sources) for each in cases["decision"].value_counts().index]
    kept = np.flatnonzero((found.weight > 0) & ~np.isnan(row))
    order = kept[np.argsort(row[kept])]
    each = found.weight[order]
    weights = LabelWeights(
        each / each.mean() if len(each) else each,
        np.unique(found.cell[order], return_inverse=True)[1].astype(np.int64),
        len(cases),
    )
    coverage = LabelCoverage(decisions=decisions, effective=weights.effective)
    rows = labelled.iloc[row[order].astype(np.intp)].reset_index(drop=True)
    return WeighedLabels(rows, weights, ~sources.itself[order], coverage)


@dataclass(frozen=True)
class _Sources:
    """Where the labels of n cases come from; each (n,)."""

    usable: Flags
    own: Flags
    """The label came as such labels come."""
    drawn: Flags
    """The case was drawn at random."""
    itself: Flags
    """The case was selected because it teaches, or its label came where none is expected: it stands for itself."""
    comes: frozenset[str]
    """Decisions whose labels come by themselves."""

    @classmethod
    def of(cls, cases: pd.DataFrame, usable: Flags, labels_for: Collection[str]) -> "_Sources":
        decision = cases["decision"].to_numpy(dtype=str)
        chosen_by = cases["selected_by"].fillna("").to_numpy(dtype=str)
        labelled = cases["is_labelled"].to_numpy(dtype=bool)
        came = labelled & np.isin(chosen_by, ["", REVIEW])
        shares = {
            str(each): (int(came[decision == each].sum()), int((decision == each).sum())) for each in set(decision)
        }
        expected = np.isin(decision, list(labels_for))
        rare = set(seldom(shares))
        comes = frozenset(
            each for each, (count, _) in shares.items() if count and each in labels_for and each not in rare
        )
        drawn = labelled & (chosen_by == RANDOM)
        own = came & expected
        return cls(usable, own, drawn, labelled & ~own & ~drawn, comes)


@dataclass(frozen=True)
class _Weighing:
    """The weights of n cases, filled in decision by decision."""

    weight: Floats
    """(n,) how many cases each stands for; 0: none, it has no label."""
    cell: NDArray[np.intp]
    """(n,) number of the group of alike cases; -1: none."""

    def add(self, decision: str, cases: pd.DataFrame, sources: _Sources) -> DecisionCoverage:
        """Fill in the cases of one decision."""
        chosen = np.flatnonzero(cases["decision"].to_numpy() == decision)
        own, drawn, itself, usable = (
            flags[chosen] for flags in (sources.own, sources.drawn, sources.itself, sources.usable)
        )
        rest, comes = ~(own | itself), decision in sources.comes
        if not comes and (drawn & usable).sum() >= FEWEST:
            speakers, represented = drawn & usable, rest
        else:  # cases with a label stand for those without
            speakers, represented = (own | drawn) & usable, ~itself
        is_covered = speakers.sum() >= min(FEWEST, represented.sum())
        if not comes and not (own & usable).sum() >= FEWEST and not (drawn & usable).sum() >= FEWEST:
            is_covered = not rest.any()
        if not is_covered or not represented.any():
            speakers = np.zeros(len(chosen), dtype=bool)
        base = int(self.cell.max(initial=-1)) + 1
        alone = usable & (own | drawn | itself) & ~speakers
        self.weight[chosen[alone]], self.cell[chosen[alone]] = 1.0, base
        if speakers.any():
            bands = _bands(cases["score"].to_numpy()[chosen], represented, speakers)
            for band in np.unique(bands[represented]):
                here, alike = speakers & (bands == band), represented & (bands == band)
                self.weight[chosen[here]] = alike.sum() / here.sum()
                self.cell[chosen[here]] = base + 1 + band
        return DecisionCoverage(
            decision=decision,
            cases=len(chosen),
            labelled=int(own.sum()),
            drawn=int(drawn.sum()),
            selected=int(itself.sum()),
            comes=comes,
            is_covered=bool(is_covered),
        )


def _bands(scores: Floats, represented: Flags, speakers: Flags) -> NDArray[np.intp]:
    """(n,) score band of each case: of equal size, and wide enough that some of each have a label."""
    known = scores[represented & ~np.isnan(scores)]
    cuts = np.unique(np.quantile(known, np.arange(1, _BANDS) / _BANDS)) if len(known) else np.empty(0)
    band = np.searchsorted(cuts, np.nan_to_num(scores, nan=-np.inf), side="right")
    merged, current, count = np.zeros(len(cuts) + 1, dtype=np.intp), 0, 0
    for number in range(len(cuts) + 1):
        merged[number] = current
        count += int((speakers & (band == number)).sum())
        if count >= FEWEST:
            current, count = current + 1, 0
    if count or merged[-1] == current:  # the last one has too few of its own
        merged[merged == current] = max(current - 1, 0)
    return merged[band]
