"""What is a feature, and what are copies: values decide, not names."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.data.sources import read
from noria.data.split import folds
from noria.data.validation import validate
from noria.models.cross_validation import cross_validate
from tests.faults.roads import (
    Proposed,
    Trained,
    copied,
    metric,
    propose,
    train,
)


@pytest.fixture(scope="module", params=["in.csv", "control.csv"])
def acid(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Proposed, Trained, str]:
    folder = tmp_path_factory.mktemp("acid")
    file = copied(folder, "acid-is-no-id", request.param)
    proposed = propose(file)
    return proposed, train(proposed.use_case, folder), request.param


def test_a_column_that_ends_in_id_is_a_number_if_its_values_are(acid: tuple[Proposed, Trained, str]) -> None:
    proposed, model, name = acid
    column = "uric_acid" if name == "in.csv" else "uricacid_mgl"
    assert proposed.use_case.split.method == "stratified"
    assert proposed.use_case.data.id is None
    assert model.column(column).kind == "number"
    assert metric(model) > 0.95


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Proposed, Trained]:
    folder = tmp_path_factory.mktemp("copies")
    file = copied(folder, "duplicates")
    proposed = propose(file)
    return proposed, train(proposed.use_case, folder, "tree")


def _keys(rows: pd.DataFrame) -> set[str]:
    return set(rows.drop(columns="left").astype(str).agg("|".join, axis=1))


def test_copies_stay_on_one_side_of_the_split_and_of_every_fold(copies: tuple[Proposed, Trained]) -> None:
    _, model = copies
    assert _keys(model.train).isdisjoint(_keys(model.test))
    for seen, judged in folds(model.train, model.use_case):
        assert _keys(model.train.iloc[seen]).isdisjoint(_keys(model.train.iloc[judged]))


def test_labels_by_chance_are_told_apart_by_chance(copies: tuple[Proposed, Trained], tmp_path: Path) -> None:
    _, model = copies
    score, _ = cross_validate("forest", {"n_estimators": 20}, model.train, model.use_case)
    assert abs(score.mean - 0.5) < 0.15
    assert abs(metric(model) - 0.5) < 0.2


def test_copies_are_told_with_their_share(copies: tuple[Proposed, Trained]) -> None:
    proposed, model = copies
    table = read(model.use_case.data)
    share = table.duplicated(keep=False).mean()
    assert len(validate(table, model.use_case).frame) == len(table)
    assert np.isclose(share, 1.0)
    messages = "\n".join([*proposed.messages, *model.messages])
    assert "copies" in messages or "identical" in messages
