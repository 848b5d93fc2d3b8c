"""The worst wrong answers, as the rows they were."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.evaluation.results import WorstError
from noria.evaluation.scored_predictions import ScoredPredictions
from noria.metrics.bootstrap import Floats
from noria.metrics.decision_value import binary_worth, multiclass_worth, regression_worth


def worst_errors(judged: ScoredPredictions) -> list[WorstError]:
    """The `evaluation.mistakes` worst answers: the surest wrong ones, for regression those farthest off.

    Of binary ones every other is a case that was acted on for nothing, the rest were wrongly left alone.
    """
    wanted = judged.use_case.evaluation.mistakes
    chosen = _worst(judged)[:wanted]
    rows = _rows(judged, chosen)
    lost = _lost(judged)
    table = judged.table
    return [
        WorstError(
            row=row,
            truth=_plain(judged.truth[place]),
            prediction=_plain(table["prediction"].iloc[place]),
            probability=_number(table["probability"].iloc[place]),
            decision=str(table["decision"].iloc[place]),
            lost=float(lost[place]),
        )
        for place, row in zip(chosen, rows, strict=True)
    ]


def _worst(judged: ScoredPredictions) -> list[int]:
    problem, scores = judged.use_case.problem, judged.scores
    if problem.task == "regression":
        error = np.abs(scores - judged.truth.astype(np.float64))
        return _ranked(error, error > 0)
    if problem.task == "multiclass":
        wrong = judged.truth != judged.table["prediction"].to_numpy(dtype=str)
        return _ranked(scores.max(axis=1), np.asarray(wrong))
    positive, decisions = np.asarray(judged.truth == str(problem.positive)), judged.decisions
    in_vain = _ranked(scores, (decisions == "act") & ~positive)
    missed = _ranked(-scores, (decisions == "leave") & positive)
    pairs = [place for pair in zip(missed, in_vain, strict=False) for place in pair]
    both = min(len(missed), len(in_vain))
    return pairs + missed[both:] + in_vain[both:]


def _ranked(badness: Floats, wrong: NDArray[np.bool_]) -> list[int]:
    order = np.argsort(-badness, kind="stable")
    return [int(place) for place in order[wrong[order]]]


def _rows(judged: ScoredPredictions, chosen: list[int]) -> list[dict[str, Any]]:
    manifest = judged.bundle.manifest
    extra = [name for name in (manifest.id, judged.use_case.data.time) if name and name not in manifest.schema_.names]
    rows = judged.frame[[*extra, *manifest.schema_.names]].iloc[chosen]
    found: list[dict[str, Any]] = json.loads(rows.to_json(orient="records", date_format="iso", date_unit="s"))
    return [{name: _cell(value) for name, value in row.items()} for row in found]


def _lost(judged: ScoredPredictions) -> Floats:
    problem = judged.use_case.problem
    if problem.task == "regression":
        numbers = judged.truth.astype(np.float64)
        best = regression_worth(problem.worth, numbers, numbers)
        return best - regression_worth(problem.worth, numbers, judged.scores)
    truth = judged.truth.astype(str)
    if problem.task == "binary":
        positive = np.asarray(truth == str(problem.positive))
        best = binary_worth(problem.worth, positive, np.where(positive, "act", "leave"))
        return best - binary_worth(problem.worth, positive, judged.decisions)
    predicted = judged.table["prediction"].to_numpy(dtype=str)
    return multiclass_worth(problem.worth, truth, truth) - multiclass_worth(problem.worth, truth, predicted)


def _cell(value: Any) -> str | float | None:
    return value if value is None or isinstance(value, str | float) else float(value)


def _plain(value: Any) -> str | float:
    return str(value) if isinstance(value, str) else float(value)


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
