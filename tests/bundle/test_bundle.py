"""A bundle gives the same numbers wherever it is loaded, and one answer for each row."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle, MetricValue, revise_bundle
from tests.bundles import PARAMS, ROOT, Case, bike, churn, contracts, make
from tests.errors_raised import raises

KINDS = ["rules", "dummy", *PARAMS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_bundle_scores_as_the_model_that_was_written(kind: str, tmp_path: Path) -> None:
    case = churn()
    bundle = make(case, kind, tmp_path / "bundle")
    again = Bundle.load(bundle.folder)
    odd = case.test.head(1000).copy()
    odd.loc[odd.index[:50], "total_charges"] = np.nan
    odd.loc[odd.index[50:100], "contract"] = "Lifelong"
    np.testing.assert_array_equal(again.scores(odd), bundle.fitted.scores(odd))
    answers = again.predict(odd)
    assert len(answers) == 1000
    assert answers["probability"].between(0, 1).all()
    assert answers["warning"].iloc[50:100].str.contains("unseen category 'Lifelong'").all()


def test_another_process_gives_the_same_numbers(tmp_path: Path) -> None:
    bundle = make(churn(), "xgboost", tmp_path / "bundle")
    rows = churn().test.head(200)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    code = (
        "import sys, pandas as pd; from pathlib import Path; from noria.bundle import Bundle;"
        "b = Bundle.load(Path(sys.argv[1]));"
        "print(b.predict(pd.read_csv(sys.argv[2]))['probability'].to_json(double_precision=15))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(bundle.folder), str(tmp_path / "rows.csv")],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    there = np.array(list(json.loads(done.stdout).values()))
    np.testing.assert_allclose(there, bundle.predict(rows)["probability"], atol=1e-12)


def test_rows_keep_their_order_and_index_and_a_bad_one_spoils_no_other(tmp_path: Path) -> None:
    bundle = make(churn(), "tree", tmp_path / "bundle")
    rows = churn().test.head(20).astype({"tenure": object}).set_index(np.arange(100, 120)[::-1])
    rows.iloc[3, rows.columns.get_loc("tenure")] = "ages"
    rows.iloc[4, rows.columns.get_loc("monthly_charges")] = np.inf
    answers = bundle.predict(rows)
    assert list(answers.index) == list(rows.index)
    assert (answers["error"] != "").tolist() == [place in (3, 4) for place in range(20)]
    assert "tenure: 'ages' is not a number" in answers["error"].iloc[3]
    assert answers[["prediction", "probability", "decision"]].iloc[[3, 4]].isna().all(axis=None)
    good = rows.drop(index=rows.index[[3, 4]])
    pd.testing.assert_frame_equal(answers.drop(index=rows.index[[3, 4]]), bundle.predict(good))
    with raises("predictions.row_invalid"):
        bundle.scores(rows)


def test_a_missing_column_is_named_and_an_extra_one_is_ignored(tmp_path: Path) -> None:
    bundle = make(churn(), "tree", tmp_path / "bundle")
    rows = churn().test.head(5)
    with raises("schema.column_missing", "`tenure`"):
        bundle.predict(rows.drop(columns="tenure"))
    pd.testing.assert_frame_equal(bundle.predict(rows.assign(shoe_size=42)), bundle.predict(rows))
    assert len(bundle.predict(rows.head(0))) == 0


@pytest.mark.parametrize(("case", "kind"), [(churn, "linear"), (bike, "xgboost"), (contracts, "tree")])
def test_answers_fit_the_task(case: Callable[[], Case], kind: str, tmp_path: Path) -> None:
    found = case()
    bundle = make(found, kind, tmp_path / "bundle")
    rows = found.test.head(300)
    answers, scores, classes = bundle.predict(rows), bundle.scores(rows), bundle.manifest.classes
    if bundle.manifest.task == "binary":
        policy = bundle.manifest.policy
        assert classes == ["No", "Yes"]
        assert ((answers["prediction"] == "Yes") == (scores >= policy.threshold)).all()
        near = np.abs(scores - policy.threshold) <= policy.review_margin
        assert ((answers["decision"] == "ask") == near).all()
        assert near.any()
    elif bundle.manifest.task == "multiclass":
        assert scores.shape == (300, 3)
        assert (answers["prediction"] == np.array(classes)[scores.argmax(axis=1)]).all()
        np.testing.assert_array_equal(answers["probability"], scores.max(axis=1))
        assert ((answers["decision"] == "ask") == (scores.max(axis=1) < 0.5)).all()
    else:
        np.testing.assert_array_equal(answers["prediction"], scores)
        assert answers["probability"].isna().all()
        assert ((answers["decision"] == "act") == (scores >= 400)).all()


def test_written_rules_decide_as_they_are_written(tmp_path: Path) -> None:
    rows = churn().test
    answers = make(churn(), "rules", tmp_path / "bundle").predict(rows)
    monthly = rows["contract"] == "Month-to-month"
    said = monthly & (
        ((rows["internet_service"] == "Fiber optic") & (rows["tenure"] <= 12))
        | ((rows["payment_method"] == "Electronic check") & (rows["tenure"] <= 24))
        | (rows["tenure"] <= 3)
    )
    assert ((answers["prediction"] == "Yes") == said).all()
    assert ((answers["decision"] == "act") == said).all()


def test_the_reference_is_training_rows_with_out_of_fold_answers(tmp_path: Path) -> None:
    case = churn()
    bundle = make(case, "forest", tmp_path / "bundle")
    reference = bundle.reference()
    assert len(reference) == 5000
    assert set(reference["churn"]) == {"Yes", "No"}
    wanted = [*bundle.manifest.schema_.names, "churn", "prediction", "probability", "decision"]
    assert list(reference.columns) == wanted
    # a model's answers to the rows it was fitted on would differ
    assert not np.allclose(bundle.predict(reference)["probability"], reference["probability"])


def test_rows_without_an_out_of_fold_score_stay_out_of_the_reference(tmp_path: Path) -> None:
    from noria.bundle import write_bundle
    from noria.models.fitted_model import fit
    from noria.models.policy_choice import DecisionPolicy

    use_case, train, _ = bike()
    fitted = fit("tree", {"max_depth": 3}, train, use_case)
    scores = np.r_[np.full(len(train) - 100, np.nan), np.arange(100.0)]
    bundle = write_bundle(
        tmp_path / "bundle", fitted, use_case=use_case, train=train, out_of_fold=scores,
        policy=DecisionPolicy(), fingerprint="", version="1",
    )  # fmt: skip
    assert bundle.reference()["prediction"].tolist() == list(range(100))


@pytest.mark.parametrize("case", [churn, bike])
def test_the_examples_are_rows_that_json_carries(case: Callable[[], Case], tmp_path: Path) -> None:
    found = case()
    bundle = make(found, "tree", tmp_path / "bundle")
    examples = json.loads(json.dumps(bundle.examples()))
    assert len(examples) == 5
    answers = bundle.predict(pd.DataFrame(examples))
    assert (answers["error"] == "").all()
    assert (answers["warning"] == "").all()
    known = found.train[bundle.manifest.schema_.names]
    for row in examples:  # each value is usual, but no training row has them all
        assert not (known.astype(str) == pd.Series(row).astype(str)).all(axis=1).any()


def test_a_revised_bundle_is_the_same_model(tmp_path: Path) -> None:
    bundle = make(churn(), "xgboost", tmp_path / "bundle")
    metrics = {"roc_auc": MetricValue(value=0.84, low=0.82, high=0.86)}
    revised = revise_bundle(bundle, tmp_path / "new", version="7", metrics=metrics)
    assert (revised.manifest.version, revised.manifest.metrics) == ("7", metrics)
    assert revised.manifest.files == bundle.manifest.files
    rows = churn().test.head(50)
    pd.testing.assert_frame_equal(revised.predict(rows), bundle.predict(rows))
    assert Bundle.load(bundle.folder).manifest.version == "1"
