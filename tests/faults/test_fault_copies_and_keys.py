"""Two tables that misled: labels by chance in copied rows, and a measure whose name ends like that of an identifier."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.models.cross_validation import cross_validate
from tests.faults.roads import Proposed, Trained, metric, propose, train

HERE = Path(__file__).parent


def copy(folder: Path, name: str) -> Path:
    path = folder / Path(name).name
    path.write_bytes((HERE / name).read_bytes())
    return path


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Proposed, Trained]:
    folder = tmp_path_factory.mktemp("left")
    proposed = propose(copy(folder, "copies/left.csv"))
    return proposed, train(proposed.use_case, folder, "tree")


def test_chance_looks_like_chance(left: tuple[Proposed, Trained]) -> None:
    _, model = left
    score, _ = cross_validate("xgboost", {}, model.train, model.use_case)
    assert score.mean == pytest.approx(0.5, abs=0.1)
    assert metric(model) == pytest.approx(0.5, abs=0.2)


def test_drawn_one_by_one_the_copies_give_the_labels_away(left: tuple[Proposed, Trained]) -> None:
    """The control: this is what keeping them together prevents."""
    _, model = left
    split = model.use_case.split.model_copy(update={"copies": "free"})
    free = model.use_case.model_copy(update={"split": split})
    table = pd.concat([model.train, model.test], ignore_index=True)
    assert cross_validate("xgboost", {}, table, free)[0].mean > 0.8


def test_new_and_train_tell_of_the_copies(left: tuple[Proposed, Trained]) -> None:
    proposed, model = left
    for messages in (proposed.messages, model.messages):
        assert any("100.0% of the rows" in line and "`split.copies: free`" in line for line in messages)
    assert "copies: together" in proposed.yaml


def test_a_measure_named_like_an_acid_is_learned_from(tmp_path: Path) -> None:
    found = {}
    for name, column in (("uric_acid", "uric_acid"), ("control", "uricacid_mgl")):
        proposed = propose(copy(tmp_path, f"identifiers/{name}.csv"))
        assert (proposed.use_case.split.method, proposed.use_case.data.id) == ("stratified", None)
        model = train(proposed.use_case, tmp_path / name, "linear")
        assert model.column(column).kind == "number"
        found[name] = metric(model)
    assert found["uric_acid"] > 0.95
    assert np.isclose(found["uric_acid"], found["control"], atol=0.02)
