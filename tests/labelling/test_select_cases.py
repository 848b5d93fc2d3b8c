"""Which predictions are asked for, and why."""

from pathlib import Path

import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.labelling import select_cases
from noria.models.decision_policy import DecisionPolicy
from noria.system.errors import NoriaError
from tests import bundles
from tests.labelling.cases import logged


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundles.make(bundles.churn(), "linear", tmp_path_factory.mktemp("bundles") / "linear")


@pytest.fixture(scope="module")
def asked(bundle: Bundle) -> pd.DataFrame:
    return logged(bundle, bundles.churn().test.head(600))


def test_the_budget_is_kept_and_a_tenth_is_drawn_at_random(bundle: Bundle, asked: pd.DataFrame) -> None:
    wanted = select_cases([bundle], asked, 50)
    assert len({each.prediction_id for each in wanted}) == 50
    drawn = [each for each in wanted if each.selected_by == "random"]
    assert len(drawn) == 5
    assert {each.probability_selected for each in drawn} == {5 / (len(asked) - 45)}
    assert {each.probability_selected for each in wanted if each.selected_by != "random"} == {1.0}


def test_answers_near_the_threshold_are_asked_for(bundle: Bundle, asked: pd.DataFrame) -> None:
    for threshold in (0.15, 0.6):
        moved = Bundle(
            bundle.manifest.model_copy(update={"policy": DecisionPolicy(threshold=threshold)}), bundle.folder
        )
        wanted = select_cases([moved], asked, 60, random_share=0)
        near = pd.Series([abs(float(each.probability or 0) - threshold) for each in wanted])
        assert near.mean() < (asked["probability"] - threshold).abs().mean() / 1.5
        assert "uncertain" in {each.selected_by for each in wanted}


def test_copies_are_not_asked_for_twice(bundle: Bundle, asked: pd.DataFrame) -> None:
    copies = pd.concat([asked.head(20)] * 10, ignore_index=True)
    copies["prediction_id"] = [f"p{place}" for place in range(len(copies))]
    wanted = select_cases([bundle], copies, 40, random_share=0)
    assert len({str(each.inputs) for each in wanted}) == len(wanted) == 20


def test_a_case_is_asked_for_once_in_its_newest_prediction(bundle: Bundle) -> None:
    rows = bundles.churn().test.head(40)
    names: list[str | None] = ["C-1", "C-2"] * 20
    wanted = select_cases([bundle], logged(bundle, rows, entities=names), 40)
    assert sorted(each.prediction_id for each in wanted) == ["p38", "p39"]


def test_a_region_that_has_moved_is_asked_for(bundle: Bundle) -> None:
    rows = bundles.churn().test
    is_new = (rows["internet_service"] == "Fiber optic") & (rows["tenure"] < 12)
    table = pd.concat([rows[~is_new].head(150), rows[is_new].head(150)])
    wanted = select_cases([bundle], logged(bundle, table), 40, random_share=0)
    moved = [each for each in wanted if each.selected_by == "moved"]
    assert moved
    assert all(each.inputs["internet_service"] == "Fiber optic" for each in moved)
    assert all("times as frequent" in each.reason for each in moved)


def test_variants_that_disagree_are_a_reason(bundle: Bundle, asked: pd.DataFrame, tmp_path: Path) -> None:
    other = bundles.make(bundles.churn(), "tree", tmp_path / "tree")
    wanted = select_cases([bundle, other], asked, 60, random_share=0)
    assert "disagreement" in {each.selected_by for each in wanted}
    assert "disagreement" not in {each.selected_by for each in select_cases([bundle], asked, 60, random_share=0)}


def test_columns_that_are_hidden_count_for_nothing(bundle: Bundle, asked: pd.DataFrame) -> None:
    hashed = asked.assign(contract=[f"{place:032x}" for place in range(len(asked))])
    chosen = [each.prediction_id for each in select_cases([bundle], asked, 40, hidden=["contract"])]
    assert chosen == [each.prediction_id for each in select_cases([bundle], hashed, 40, hidden=["contract"])]


def test_what_is_labelled_already_teaches_less(bundle: Bundle, asked: pd.DataFrame) -> None:
    first = select_cases([bundle], asked, 20, random_share=0)
    ids = {each.prediction_id for each in first}
    done = pd.concat([asked[asked["prediction_id"].isin(ids)].assign(label="Yes")] * 200)
    again = select_cases([bundle], asked, 20, labelled=done, random_share=0)
    assert len(ids & {each.prediction_id for each in again}) < 10


@pytest.mark.parametrize("kind", ["rules", "xgboost"])
def test_every_kind_of_model_is_asked_for(kind: str, tmp_path: Path) -> None:
    made = bundles.make(bundles.churn(), kind, tmp_path / kind)
    assert len(select_cases([made], logged(made, bundles.churn().test.head(100)), 10)) == 10


def test_several_classes_and_numbers(tmp_path: Path) -> None:
    for case, kind in ((bundles.contracts(), "forest"), (bundles.bike(), "xgboost")):
        made = bundles.make(case, kind, tmp_path / case.use_case.name)
        wanted = select_cases([made], logged(made, case.test.head(200)), 20)
        assert len(wanted) == 20
        assert len({each.prediction_id for each in wanted}) == 20


def test_nothing_to_ask_for(bundle: Bundle, asked: pd.DataFrame) -> None:
    with pytest.raises(NoriaError) as empty:
        select_cases([bundle], asked.iloc[:0], 10)
    assert empty.value.code == "labelling.nothing_to_ask"
    with pytest.raises(NoriaError) as none:
        select_cases([bundle], asked, 0)
    assert none.value.code == "labelling.budget_invalid"
