"""Explanations of real bundles of every kind: numbers, categories, dates, and rules that read typed values."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles import Case, bike, churn, contracts, make
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.schema import CheckedRows
from noria.serving.explanation import Explanation, explain, explain_values, groups_of

ROWS = 60
CASES = {"churn": churn, "bike": bike, "contracts": contracts}


def matrix_score(bundle: Bundle, place: int) -> Any:
    fitted = bundle.fitted

    def score(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        assert fitted.pipeline is not None
        scores = fitted.scores_encoded(matrix)
        return scores[:, place] if scores.ndim == 2 else scores

    return score


def explained(bundle: Bundle, row: pd.DataFrame, background: pd.DataFrame, place: int) -> Explanation:
    schema = bundle.manifest.schema_
    one, others = schema.check(row), schema.check(background)
    if bundle.fitted.rules is not None:
        rules = bundle.fitted.rules

        def score(values: Any, rows: int) -> NDArray[np.float64]:
            scores = rules.scores(values, rows)
            return scores[:, place] if scores.ndim == 2 else scores

        return explain_values(score, one.values, others.values, seed=0)
    return explain(matrix_score(bundle, place), one.matrix[0], others.matrix, groups_of(schema), seed=0)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["rules", "linear", "tree", "forest", "xgboost"])
def test_baseline_and_contributions_add_up_to_the_answer(case: str, kind: str, tmp_path: Path) -> None:
    which: Case = CASES[case]()
    bundle = make(which, kind, tmp_path / "bundle")
    row, background = which.test.iloc[[5]], which.train.iloc[:ROWS]
    scores = bundle.scores(row)
    place = int(scores.argmax()) if scores.ndim == 2 else 0
    found = explained(bundle, row, background, place)
    usual = bundle.scores(background)
    assert found.baseline == pytest.approx((usual[:, place] if usual.ndim == 2 else usual).mean(), rel=1e-6)
    score = scores[0, place] if scores.ndim == 2 else scores[0]
    assert found.baseline + found.contributions.sum() == pytest.approx(score, rel=1e-6)
    assert len(found.contributions) == len(bundle.manifest.schema_.names)
    assert np.any(found.contributions != 0)


def test_only_what_the_rules_name_contributes(tmp_path: Path) -> None:
    bundle = make(churn(), "rules", tmp_path / "bundle")
    table = churn().train
    caught = (table["contract"] == "Month-to-month") & (table["internet_service"] == "Fiber optic")
    row = table[caught & (table["tenure"] <= 12)].iloc[[0]]
    found = explained(bundle, row, table.iloc[:ROWS], 0)
    shares = dict(zip(bundle.manifest.schema_.names, found.contributions, strict=True))
    named = {"contract", "internet_service", "tenure", "payment_method"}
    assert all(share == 0 for name, share in shares.items() if name not in named)
    assert min(shares["contract"], shares["internet_service"], shares["tenure"]) > 0.01


def test_a_date_is_one_column_whatever_its_parts(tmp_path: Path) -> None:
    bundle = make(bike(), "tree", tmp_path / "bundle")
    schema = bundle.manifest.schema_
    places = dict(zip(schema.names, groups_of(schema), strict=True))
    assert [schema.encoded_names[place] for place in places["dteday"]] == ["dteday.month", "dteday.weekday"]
    assert sorted(place for group in places.values() for place in group) == list(range(len(schema.encoded_names)))


def test_missing_values_of_every_kind_are_one_value() -> None:
    def typed(numbers: list[float], texts: list[str | None], dates: list[str]) -> dict[str, NDArray[Any]]:
        return {
            "number": np.array(numbers),
            "text": np.array(texts, dtype=object),
            "date": np.array(dates, dtype="datetime64[s]"),
        }

    row = typed([np.nan], [None], ["NaT"])
    same = explain_values(lambda _, rows: np.arange(rows) * 1.0, row, row, seed=0)
    assert same.contributions.tolist() == [0, 0, 0]

    def missing(values: Any, _: int) -> NDArray[np.float64]:
        return np.isnan(values["number"]) + 10.0 * np.equal(values["text"], None) + 100.0 * np.isnat(values["date"])

    background = typed([1.0, np.nan], ["a", "b"], ["2026-01-01", "NaT"])
    found = explain_values(missing, row, background, seed=0)
    assert (found.baseline, found.contributions.tolist()) == (50.5, pytest.approx([0.5, 10.0, 50.0]))


def test_checked_rows_fit(tmp_path: Path) -> None:
    """What the service has at hand after checking a request is what `explain` takes."""
    bundle = make(churn(), "tree", tmp_path / "bundle")
    row: dict[str, Any] = bundle.examples()[0] | {"tenure": None, "contract": "Never seen"}
    checked: CheckedRows = bundle.manifest.schema_.check(pd.DataFrame([row]))
    background = bundle.manifest.schema_.encode(bundle.reference().iloc[:ROWS])
    found = explain(matrix_score(bundle, 0), checked.matrix[0], background, groups_of(bundle.manifest.schema_), seed=0)
    score = bundle.scores(pd.DataFrame([row]))[0]
    assert found.baseline + found.contributions.sum() == pytest.approx(score)
