"""Predicting rows as JSON carries them, without a table."""

from pathlib import Path

import mixed
import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.serving.predictor import Predictor
from tests.errors_raised import raises


@pytest.mark.parametrize("kind", ["rules", "xgboost"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_answers_are_those_of_a_table(kind: str, task: str, tmp_path: Path) -> None:
    bundle = Bundle.open(mixed.write(kind, task, tmp_path / "bundle").folder)
    rows = mixed.odd_rows(40)
    wanted = bundle.predict(pd.DataFrame(rows, dtype=object))
    said = Predictor.of(bundle).predict_rows(rows)
    assert [one["decision"] for one in said] == wanted["decision"].tolist()
    assert [one["warning"] for one in said] == wanted["warning"].tolist()
    if task == "regression":
        assert [one["prediction"] for one in said] == pytest.approx(wanted["prediction"].tolist(), abs=1e-6)
        assert {one["probability"] for one in said} == {None}
    else:
        assert [one["prediction"] for one in said] == wanted["prediction"].tolist()
        assert [one["probability"] for one in said] == pytest.approx(wanted["probability"].tolist(), abs=1e-6)


def test_a_row_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    predictor = Predictor.of(mixed.write("linear", "binary", tmp_path / "bundle"))
    good = mixed.odd_rows(5)[4]
    with raises("request.rows_invalid", "row 1: age"):
        predictor.predict_rows([good, {name: value for name, value in good.items() if name != "age"}])
    with raises("request.rows_missing"):
        predictor.predict_rows([])
