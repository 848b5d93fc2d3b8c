"""At the gate no side gains by having learned the rows that it is judged on."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle, Manifest, write_bundle
from noria.config import UseCase
from noria.evaluation.champion_trial import champion_trial, unlearned_rows
from noria.evaluation.promotion_gate import gate
from noria.evaluation.results import GateVerdict, RivalComparison
from noria.models.decision_policy import DecisionPolicy
from noria.models.fitted_model import FittedModel, fit
from noria.models.learned_rows import pack_keys, row_keys, unpack_keys
from tests.bundles import bike, changed, churn

DEEP = {"n_estimators": 60, "max_depth": 8, "learning_rate": 0.3}
OLD = 3000
"""Customers who were there when the champion was trained."""


class Today(NamedTuple):
    """A table that has grown since the champion learned its first rows."""

    use_case: UseCase
    train: pd.DataFrame
    test: pd.DataFrame


def write(fitted: FittedModel, train: pd.DataFrame, use_case: UseCase, folder: Path, version: str) -> Bundle:
    return write_bundle(
        folder, fitted, use_case=use_case, train=train, out_of_fold=fitted.scores(train),
        policy=DecisionPolicy(threshold=0.3), fingerprint="0" * 64, version=version,
    )  # fmt: skip


def bundle(kind: str, params: dict[str, Any], rows: pd.DataFrame, use_case: UseCase, folder: Path) -> Bundle:
    return write(fit(kind, params, rows, use_case), rows, use_case, folder, folder.name)


def versus_champion(verdict: GateVerdict) -> RivalComparison:
    return next(each for each in verdict.comparisons if each.rival == "champion")


@pytest.fixture(scope="module")
def today() -> Today:
    """Customers with a number; whether they leave is drawn by lot, so there is nothing to learn but by heart."""
    use_case = changed(churn().use_case, data={"id": "customer"}, evaluation={"bootstrap": 100})
    table = pd.concat([churn().train, churn().test]).drop(columns="churn").drop_duplicates(ignore_index=True).head(4500)
    lots = np.random.default_rng(0).choice(["Yes", "No"], len(table), p=[0.3, 0.7])
    table = table.assign(churn=lots, customer=[f"c{place}" for place in range(len(table))])
    is_test = np.arange(len(table)) % 4 == 0
    return Today(use_case, table[~is_test].reset_index(drop=True), table[is_test].reset_index(drop=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trial")


@pytest.fixture(scope="module")
def rules(today: Today, folder: Path) -> Bundle:
    return bundle("rules", {}, today.train, today.use_case, folder / "rules")


@pytest.fixture(scope="module")
def challenger(today: Today, folder: Path) -> Bundle:
    return bundle("xgboost", DEEP, today.train, today.use_case, folder / "challenger")


@pytest.fixture(scope="module")
def knows_all(today: Today, folder: Path) -> Bundle:
    """A champion that was fitted on all rows of today."""
    rows = pd.concat([today.train, today.test], ignore_index=True)
    return bundle("xgboost", DEEP, rows, today.use_case, folder / "knows_all")


@pytest.fixture(scope="module")
def knows_old(today: Today, folder: Path) -> Bundle:
    """A champion that was fitted on all rows that there were then: 750 of them are test rows today."""
    rows = pd.concat([today.train, today.test], ignore_index=True)
    old = rows[rows["customer"].str[1:].astype(int) < OLD].reset_index(drop=True)
    return bundle("xgboost", DEEP, old, today.use_case, folder / "knows_old")


def test_what_it_knows_by_heart_would_win(today: Today, challenger: Bundle, rules: Bundle, knows_all: Bundle) -> None:
    """Without the training rows nothing can be done about it but to say so."""
    verdict = gate(today.use_case, today.test, challenger, rules, knows_all)
    assert versus_champion(verdict).rival_value > 0.95
    assert verdict.unlearned_rows == 0
    assert "has learned from 1,125 of the 1,125 test rows" in verdict.champion_basis


def test_a_champion_that_has_learned_the_test_rows_has_no_advantage(
    today: Today, challenger: Bundle, rules: Bundle, knows_all: Bundle
) -> None:
    verdict = gate(today.use_case, today.test, challenger, rules, knows_all, train=today.train)
    versus = versus_champion(verdict)
    assert versus.rival_value == versus.challenger_value, "the same recipe on the same rows"
    assert versus.rival_value < 0.6
    assert versus.rival_version == "knows_all"
    assert verdict.unlearned_rows == len(today.test)
    assert "recipe (xgboost) was fitted on today's training rows" in verdict.champion_basis


def test_enough_new_rows_are_what_both_are_judged_on(
    today: Today, challenger: Bundle, rules: Bundle, knows_old: Bundle
) -> None:
    verdict = gate(today.use_case, today.test, challenger, rules, knows_old, train=today.train)
    new = today.test["customer"].str[1:].astype(int) >= OLD
    assert verdict.unlearned_rows == new.sum() == 375
    assert "on the 375 test rows that version knows_old has not learned from" in verdict.champion_basis
    versus = versus_champion(verdict)
    expected = champion_trial(knows_old, today.test, today.use_case, today.train).scored.metrics("roc_auc")
    assert versus.rival_value == pytest.approx(expected["roc_auc"].value)
    assert 0.4 < versus.rival_value < 0.6
    # the challenger meets it with a fit on all rows but these
    others = pd.concat([today.train, today.test[~new]], ignore_index=True)
    again = fit("xgboost", DEEP, others, today.use_case)
    leaves = today.test.loc[new, "churn"] == "Yes"
    scores = pd.Series(again.scores(today.test[new]), index=leaves.index)
    ahead = (scores[leaves].to_numpy()[:, None] > scores[~leaves].to_numpy()).mean()
    assert versus.challenger_value == pytest.approx(ahead, abs=0.005)


def test_a_few_new_rows_are_not_enough(today: Today, challenger: Bundle, rules: Bundle, knows_old: Bundle) -> None:
    few = today.test.head(900)
    verdict = gate(today.use_case, few, challenger, rules, knows_old, train=today.train)
    assert verdict.unlearned_rows == 900
    assert "has learned from 750 of the 900 test rows (the other 150 are too few" in verdict.champion_basis


def test_a_champion_that_knows_no_test_row_is_judged_as_it_is(
    today: Today, challenger: Bundle, rules: Bundle, folder: Path
) -> None:
    tree = bundle("tree", {"max_depth": 3}, today.train, today.use_case, folder / "tree")
    verdict = gate(today.use_case, today.test, challenger, rules, tree, train=today.train)
    assert verdict.unlearned_rows == len(today.test)
    assert "none of the 1,125 test rows and was judged as it is" in verdict.champion_basis


def test_an_older_champion_that_does_not_say_what_it_knows_is_fitted_again(
    today: Today, challenger: Bundle, rules: Bundle, tmp_path: Path
) -> None:
    rows = pd.concat([today.train, today.test], ignore_index=True)
    silent = replace(fit("xgboost", DEEP, rows, today.use_case), learned=None, keys=None)
    old = write(silent, rows, today.use_case, tmp_path / "old", "1")
    verdict = gate(today.use_case, today.test, challenger, rules, old, train=today.train)
    assert versus_champion(verdict).rival_value < 0.6
    assert verdict.champion_basis.startswith("Which rows version 1 has learned from is not known")


def test_rules_are_judged_as_they_are(today: Today, challenger: Bundle, rules: Bundle) -> None:
    verdict = gate(today.use_case, today.test, challenger, rules, rules, train=today.train)
    assert "is a set of written rules" in verdict.champion_basis


def test_a_recipe_that_is_refused_today_is_judged_as_it_is(
    today: Today, challenger: Bundle, rules: Bundle, knows_all: Bundle
) -> None:
    manifest = knows_all.manifest.model_copy(update={"parameters": {"max_depth": "deep"}})
    verdict = gate(today.use_case, today.test, challenger, rules, Bundle(manifest, knows_all.folder), train=today.train)
    assert "It was judged as it is, since its recipe cannot be fitted again" in verdict.champion_basis
    assert verdict.unlearned_rows == 0


def test_a_recipe_keeps_its_inputs_whatever_columns_there_are_today(
    today: Today, challenger: Bundle, rules: Bundle, knows_all: Bundle
) -> None:
    """The champion was trained before a column that tells all was there, and the rules use it now."""
    tells = [part.assign(tells=np.where(part["churn"] == "Yes", 1.0, 2.0)) for part in (today.train, today.test)]
    use_case = changed(today.use_case, rules={"conditions": [{"when": "tells > 1.5", "then": "No"}]})
    new = bundle("xgboost", DEEP, tells[0], use_case, knows_all.folder.parent / "new")
    verdict = gate(use_case, tells[1], new, rules, knows_all, train=tells[0])
    versus = versus_champion(verdict)
    assert versus.challenger_value > 0.99
    assert versus.rival_value < 0.6
    assert verdict.promote == "challenger"


def test_of_a_series_the_rows_after_all_that_it_has_learned_are_new(tmp_path: Path) -> None:
    use_case, train, test = bike()
    test = test.sample(2000, random_state=0)
    seen = pd.concat([train, test[test["dteday"] < "2012-10-01"]], ignore_index=True)
    champion = bundle("tree", {"max_depth": 4}, seen, use_case, tmp_path / "champion")
    strange = unlearned_rows(champion, test, use_case)
    assert strange is not None
    assert (strange == (test["dteday"] >= "2012-10-01")).all()
    # a moment in another zone is the same moment
    zoned = test.assign(dteday=test["dteday"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    again = unlearned_rows(champion, zoned, use_case)
    assert again is not None
    assert (again == strange).all()


def test_what_training_again_brings_is_seen_where_the_level_moves(tmp_path: Path) -> None:
    """The champion knows the first quarter of 2012; since then demand has grown, and the same recipe would follow."""
    use_case, train, test = bike()
    use_case = changed(use_case, evaluation={"bootstrap": 100, "margin": 0})
    recipe = ("xgboost", {"n_estimators": 80, "max_depth": 5, "learning_rate": 0.1})
    seen = pd.concat([train, test[test["dteday"] < "2012-04-01"]], ignore_index=True)
    champion = bundle(*recipe, seen, use_case, tmp_path / "champion")
    new = bundle(*recipe, train, use_case, tmp_path / "new")
    rules = bundle("rules", {}, train, use_case, tmp_path / "rules")
    verdict = gate(use_case, test, new, rules, champion, train=train)
    since = int((test["dteday"] >= "2012-04-01").sum())
    assert verdict.unlearned_rows == pytest.approx(since / 2, abs=24), "never through one day"
    assert f"on the latest {verdict.unlearned_rows:,} of the {since:,} test rows" in verdict.champion_basis
    assert versus_champion(verdict).beats
    assert verdict.promote == "challenger"


def test_rows_are_recognized_however_the_file_came(today: Today, knows_old: Bundle) -> None:
    as_csv = pd.read_csv(io.StringIO(today.test.to_csv(index=False)))
    as_parquet = pd.read_parquet(io.BytesIO(today.test.to_parquet()))
    known = [unlearned_rows(knows_old, rows, today.use_case) for rows in (today.test, as_csv, as_parquet)]
    assert all(each is not None for each in known)
    assert [each.sum() for each in known if each is not None] == [375] * 3


def test_a_case_is_known_by_its_identifier_and_by_its_inputs(today: Today, knows_old: Bundle) -> None:
    corrected = today.test.assign(tenure=today.test["tenure"] + 1)
    renumbered = today.test.assign(customer=[f"n{place}" for place in range(len(today.test))])
    for rows in (corrected, renumbered):
        strange = unlearned_rows(knows_old, rows, today.use_case)
        assert strange is not None
        assert strange.sum() == 375
    both = unlearned_rows(knows_old, renumbered.assign(tenure=corrected["tenure"]), today.use_case)
    assert both is not None
    assert both.sum() > 1000


def test_where_values_are_read_in_another_way_than_before_nothing_is_claimed(
    today: Today, knows_all: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every row would look new."""
    from noria.evaluation import champion_trial as module

    monkeypatch.setattr(module, "row_keys", lambda *given: row_keys(*given) ^ np.uint32(1))
    assert unlearned_rows(knows_all, today.test, today.use_case) is None


def test_keys_come_back_as_they_were() -> None:
    keys = np.random.default_rng(1).integers(0, 2**32, (2, 5000), dtype=np.uint32)
    packed = pack_keys(keys)
    assert len(packed) < 4 * 10_000
    np.testing.assert_array_equal(unpack_keys(packed), np.unique(keys))
    assert unpack_keys(pack_keys(np.array([], dtype=np.uint32))).size == 0


def test_a_bundle_of_before_still_loads(knows_all: Bundle) -> None:
    raw = knows_all.manifest.model_dump(mode="json")
    for name in ("learned", "metrics_from"):
        del raw[name]
    manifest = Manifest.model_validate(raw)
    assert manifest.learned is None
    assert manifest.metrics_from is None
