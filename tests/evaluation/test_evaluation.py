"""What a client reads: whole cases, slices and mistakes that are really in the data."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.evaluation.evaluate import evaluate
from noria.evaluation.results import EvaluationResult
from noria.evaluation.scored_predictions import score_rows
from tests.bundles import Case, bike, changed, churn, contracts, make
from tests.errors_raised import raises


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


def evaluated(case: Case, kind: str, folder: Path) -> EvaluationResult:
    name = case.use_case.name
    model, rules = make(case, kind, folder / f"{name}_{kind}"), make(case, "rules", folder / f"{name}_rules")
    return evaluate(model, case.test, case.use_case, rules=rules)


@pytest.fixture(scope="module")
def of_churn(folder: Path) -> EvaluationResult:
    return evaluated(churn(), "xgboost", folder)


@pytest.fixture(scope="module")
def of_bike(folder: Path) -> EvaluationResult:
    return evaluated(bike(), "xgboost", folder)


@pytest.fixture(scope="module")
def of_contracts(folder: Path) -> EvaluationResult:
    return evaluated(contracts(), "tree", folder)


def test_churn_is_predicted_well(of_churn: EvaluationResult) -> None:
    metric = of_churn.metrics["roc_auc"]
    assert metric.value >= 0.83
    assert metric.low < metric.value < metric.high
    assert of_churn.rules_metrics["roc_auc"].value < metric.low


def test_the_counts_of_1000_are_those_of_the_test_rows(of_churn: EvaluationResult, folder: Path) -> None:
    _, _, test = churn()
    from noria.bundle import Bundle

    decisions = Bundle.load(folder / "telco_churn_xgboost").predict(test)["decision"].to_numpy()
    leaves = (test["churn"] == "Yes").to_numpy()
    model, rules, nothing = of_churn.approaches
    assert model.per_1000["act_positive"] == pytest.approx(1000 * ((decisions == "act") & leaves).mean())
    assert model.per_1000["ask_negative"] == pytest.approx(1000 * ((decisions == "ask") & ~leaves).mean())
    for approach in of_churn.approaches:
        assert sum(approach.per_1000.values()) == pytest.approx(1000)
    assert nothing.per_1000["leave_positive"] == pytest.approx(1000 * leaves.mean())
    assert nothing.worth.value == 0
    lead = rules.model_leads_by
    assert lead is not None
    assert lead.value == pytest.approx(model.worth.value - rules.worth.value)
    # paired: narrower than if the two were judged on different rows
    assert lead.high - lead.low < (model.worth.high - model.worth.low) + (rules.worth.high - rules.worth.low)


def test_slices_cover_every_row_of_their_column(of_churn: EvaluationResult, of_bike: EvaluationResult) -> None:
    for evaluation, columns in ((of_churn, churn().use_case.evaluation.slices), (of_bike, ["workingday"])):
        for column in columns:
            parts = [part for part in evaluation.slices if part.column == column]
            assert sum(part.rows for part in parts) == evaluation.rows
    tenure = [part.value for part in of_churn.slices if part.column == "tenure"]
    assert len(tenure) == 4
    assert tenure[0].startswith("0 to ")
    monthly = next(part for part in of_churn.slices if part.value == "Month-to-month")
    rows = churn().test[churn().test["contract"] == "Month-to-month"]
    assert (monthly.rows, monthly.truth) == (len(rows), pytest.approx((rows["churn"] == "Yes").mean()))
    missing = [part for part in of_bike.slices if (part.column, part.value) == ("weathersit", "(missing)")]
    assert missing[0].rows == bike().test["weathersit"].isna().sum()


def test_mistakes_are_real_rows_that_were_decided_wrongly(of_churn: EvaluationResult) -> None:
    _, _, test = churn()
    assert len(of_churn.mistakes) == 10
    kinds = [(mistake.decision, mistake.truth) for mistake in of_churn.mistakes]
    assert kinds[:4] == [("leave", "Yes"), ("act", "No")] * 2
    for mistake in of_churn.mistakes:
        assert mistake.lost == (160 if mistake.truth == "Yes" else 40)
        same = (test[["tenure", "total_charges"]] == [mistake.row["tenure"], mistake.row["total_charges"]]).all(axis=1)
        assert mistake.truth in set(test.loc[same, "churn"])


def test_the_worst_predicted_numbers_come_first(of_bike: EvaluationResult) -> None:
    off = [abs(float(mistake.truth) - float(mistake.prediction)) for mistake in of_bike.mistakes]
    assert off == sorted(off, reverse=True)
    assert off[0] > of_bike.large_error > of_bike.typical_error
    assert of_bike.mistakes[0].row["dteday"].startswith("2012-")


def test_regression_is_told_by_nearness(of_bike: EvaluationResult) -> None:
    assert of_bike.near == 20
    # of a sample of the training rows
    assert of_bike.usual == pytest.approx(bike().train["cnt"].median(), rel=0.05)
    model, rules, nothing = of_bike.approaches
    assert set(model.per_1000) == {"near", "too_high", "too_low"}
    assert model.metric.value < rules.metric.value < nothing.metric.value


def test_classes_are_told_by_right_and_wrong(of_contracts: EvaluationResult) -> None:
    assert of_contracts.usual == "Month-to-month"
    assert sum(map(sum, of_contracts.confusion)) == pytest.approx(1000)
    right = sum(line[place] for place, line in enumerate(of_contracts.confusion))
    assert right == pytest.approx(1000 * of_contracts.metrics["accuracy"].value)
    assert of_contracts.approaches[0].per_1000["ask"] > 0
    # rules answer as they are written and ask nobody
    rules = of_contracts.approaches[1].per_1000
    assert (rules["ask"], rules["right"]) == (0, pytest.approx(1000 * of_contracts.rules_metrics["accuracy"].value))


@pytest.mark.parametrize("name", ["of_churn", "of_bike", "of_contracts"])
def test_the_calibration_covers_all_rows(name: str, request: pytest.FixtureRequest) -> None:
    evaluation = request.getfixturevalue(name)
    assert sum(part.rows for part in evaluation.calibration) == evaluation.rows
    predicted = [part.predicted for part in evaluation.calibration]
    assert predicted == sorted(predicted)


def test_an_evaluation_survives_json(
    of_churn: EvaluationResult, of_bike: EvaluationResult, of_contracts: EvaluationResult
) -> None:
    for evaluation in (of_churn, of_bike, of_contracts):
        assert EvaluationResult.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_rows_that_cannot_be_answered_are_counted(folder: Path) -> None:
    use_case, _, test = churn()
    bundle = make(churn(), "tree", folder / "tree")
    spoilt = test.head(300).astype({"tenure": object})
    spoilt.loc[spoilt.index[:7], "tenure"] = "?"
    found = evaluate(bundle, spoilt, changed(use_case, evaluation={"slices": [], "bootstrap": 100}))
    assert (found.rows, found.unusable) == (293, 7)
    with raises("evaluation.rows_unanswered"):
        evaluate(bundle, spoilt.head(7), use_case)


def test_slices_of_odd_columns(folder: Path) -> None:
    use_case, _, test = churn()
    bundle = make(churn(), "tree", folder / "tree")
    random = np.random.default_rng(0)
    odd = test.assign(
        shop=[f"shop {n}" for n in random.integers(0, 30, len(test))],
        seen=pd.date_range("2024-01-01", periods=len(test), freq="h"),
        empty=np.nan,
        one="x",
        flag=random.random(len(test)) < 0.5,
    )
    wanted: dict[str, Any] = {"slices": ["shop", "seen", "empty", "one", "flag"], "bootstrap": 100}
    found = evaluate(bundle, odd, changed(use_case, evaluation=wanted)).slices
    values = {column: [part.value for part in found if part.column == column] for column in wanted["slices"]}
    assert (len(values["shop"]), values["shop"][-1]) == (13, "(others)")
    assert len(values["seen"]) == 4
    assert (values["empty"], values["one"], sorted(values["flag"])) == (["(missing)"], ["x"], ["False", "True"])
    for column in wanted["slices"]:
        assert sum(part.rows for part in found if part.column == column) == len(test)


def test_copies_give_no_certainty_of_their_own(of_churn: EvaluationResult, folder: Path) -> None:
    case = churn()
    from noria.bundle import Bundle

    bundle = Bundle.load(folder / "telco_churn_xgboost")
    several = pd.concat([case.test] * 4, ignore_index=True)

    def width(copies: str) -> float:
        use_case = changed(case.use_case, split={"method": "stratified", "copies": copies})
        found = score_rows(bundle, several, use_case).metrics("roc_auc")["roc_auc"]
        return found.high - found.low

    once = of_churn.metrics["roc_auc"]
    assert width("together") == pytest.approx(once.high - once.low, rel=0.2)
    assert width("free") < 0.7 * width("together")
