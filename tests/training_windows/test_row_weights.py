"""`data.window: {half_life_days}` and `{days}`: what a row weighs, in every kind of model, and nowhere else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.config import UseCase
from noria.data.window import age_weights, effective_rows, require_rows, within_window
from noria.evaluation.champion_trial import fit_again
from noria.evaluation.scored_predictions import score_rows
from noria.models.candidates import KINDS, default_params
from noria.models.cross_validation import cross_validate
from noria.models.fitted_model import fit
from noria.models.folds import Folds
from noria.training.leaderboard import fit_bundle, score_candidates
from noria.training.refit import refit_bundle
from tests.errors_raised import raises
from tests.listening import listen
from tests.training_windows.window_cases import DAYS, PER_DAY, table, use_case

WEIGHED = [kind for kind in KINDS if kind != "rules"]
HALF = {"half_life_days": 20}


def error(kind: str, rows: pd.DataFrame, newest: pd.DataFrame, case: UseCase) -> float:
    fitted = fit(kind, default_params(kind, case), rows, case, warn=False)
    return float(np.abs(fitted.scores(newest) - newest["y"]).mean())


@pytest.mark.parametrize("kind", WEIGHED)
def test_every_kind_of_model_learns_more_from_newer_rows(kind: str) -> None:
    """The level of the target rises, which a constant answer notices, too."""
    rows = table(drift=3.0)
    rows["y"] += rows.index / len(rows) * 10
    newest = rows.tail(10 * PER_DAY)
    before = rows.iloc[: -10 * PER_DAY]
    assert error(kind, before, newest, use_case(HALF)) < 0.8 * error(kind, before, newest, use_case("all"))


@pytest.mark.parametrize("kind", ["linear", "tree"])
def test_a_weight_of_two_is_a_row_that_is_there_twice(kind: str) -> None:
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.repeat([0, 20], 300), unit="D")
    random = np.random.default_rng(3)
    rows = pd.DataFrame({"day": days, "x": random.normal(size=600), "z": random.normal(size=600)})
    rows["y"] = np.where(np.arange(600) < 300, rows["x"], -rows["z"]) + random.normal(scale=0.1, size=600)
    params: dict[str, Any] = {"linear": {"alpha": 1e-6}, "tree": {"max_depth": 3}}[kind]
    features = {"clip_quantile": 0, "exclude": ["day"]}
    weighed = fit(kind, params, rows, use_case(HALF, features=features), warn=False).scores(rows)
    twice = pd.concat([rows, rows.iloc[300:]], ignore_index=True)
    by_rows = fit(kind, params, twice, use_case("all", features=features), warn=False).scores(rows)
    assert weighed == pytest.approx(by_rows, abs=1e-6)


def test_the_newest_row_of_each_fit_has_the_age_0() -> None:
    case, rows = use_case(HALF), table(drift=1.0)
    for fold in Folds(rows, case):
        weights = fold.rows.weights
        assert weights is not None
        assert weights.max() == 1.0
        assert weights.min() == pytest.approx(0.5 ** ((weights.size / PER_DAY - 1) / 20))


def test_scores_of_cross_validation_count_all_rows_alike() -> None:
    """The score is the plain error over the validation rows, though the fits are weighted."""
    case, rows = use_case(HALF), table(drift=3.0)
    score, answers = cross_validate("linear", default_params("linear", case), rows, case)
    seen = ~np.isnan(answers)
    plain = [np.abs(answers[fold.places] - rows["y"].to_numpy()[fold.places]).mean() for fold in Folds(rows, case)]
    assert score.fold_scores == pytest.approx(plain)
    assert seen.sum() == sum(len(fold.places) for fold in Folds(rows, case))


def test_what_the_rules_measure_is_not_weighted_and_that_is_said() -> None:
    case, rows = use_case(HALF), table(drift=3.0)
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text))
    weighed, _ = score_candidates(rows, case)
    plain, _ = score_candidates(rows, use_case("all"))
    of = {score.kind: score.fold_scores for score in weighed.scores}
    before = {score.kind: score.fold_scores for score in plain.scores}
    assert of["rules"] == before["rules"]
    assert of["linear"] != before["linear"]
    assert any(text.startswith("window") and "rules" in text for text in heard)


def test_days_and_half_life_go_together() -> None:
    case, rows = use_case({"days": 30, "half_life_days": 10}), table(drift=1.0)
    kept = within_window(rows, case.window, "day")
    weights = age_weights(kept, case.window, "day")
    assert weights is not None
    assert len(kept) == 31 * PER_DAY
    assert weights.min() == pytest.approx(0.125)
    assert effective_rows(weights) < len(kept)


def test_rows_of_another_zone_and_without_a_time() -> None:
    window = use_case(HALF).window
    days = pd.Series(pd.to_datetime(["2025-01-01 02:00+02:00", "2025-01-21 00:00Z", None], utc=True, format="mixed"))
    weights = age_weights(pd.DataFrame({"day": days}), window, "day")
    assert weights == pytest.approx([0.5, 1.0, 0.75])
    span = use_case({"days": 5}).window
    assert within_window(pd.DataFrame({"day": days}), span, "day").index.tolist() == [0, 1], "the age is not known"


@pytest.mark.parametrize("window", [{"days": 1}, {"half_life_days": 0.1}])
def test_a_window_of_a_few_rows_is_refused(window: dict[str, float]) -> None:
    case = use_case(window)
    with raises("data.window_too_short"):
        require_rows(within_window(table(drift=1.0), case.window, "day"), case.window, "day")


def test_a_window_by_a_number_that_is_no_date_is_refused() -> None:
    rows = table(drift=1.0).assign(day=range(DAYS * PER_DAY))
    for window in ({"days": 5}, HALF):
        with raises("data.window_time_not_date"):
            fit("linear", {}, within_window(rows, use_case(window).window, "day"), use_case(window))


def test_a_span_shorter_than_the_history_is_refused() -> None:
    features = {"history": [{"name": "orders_45d", "stat": "count", "over": "45d"}]}
    with pytest.raises(ValueError, match="look back"):
        use_case({"days": 30}, features=features)
    use_case({"days": 60}, features=features)


def test_the_window_travels_with_the_recipe(tmp_path: Any) -> None:
    """Judged, fitted again on all rows, and tried as a champion of the past: each time by its own newest row."""
    case = use_case({"days": 40, "half_life_days": 20})
    rows = table(drift=3.0)
    train, test = rows.iloc[: 160 * PER_DAY], rows.iloc[160 * PER_DAY :].reset_index(drop=True)
    train = within_window(train, case.window, "day")
    board, answers = score_candidates(train, case)
    score = next(each for each in board.scores if each.kind == "linear")
    judged = fit_bundle(score, train, answers, case, fingerprint="f", version="1", folder=tmp_path / "judged")
    assert judged.manifest.window == case.window
    auto = use_case("auto")
    served = refit_bundle(judged, train, test, auto, out_of_fold=answers, folder=tmp_path / "served")
    assert served.manifest.window == case.window
    assert served.manifest.learned is not None
    assert served.manifest.learned.rows == 41 * PER_DAY
    by_hand = fit("linear", score.params, within_window(rows, case.window, "day"), case)
    assert served.scores(test) == pytest.approx(by_hand.scores(test))
    again = fit_again(served, rows, auto)
    assert score_rows(again, test, auto).scores == pytest.approx(by_hand.scores(test))
    growing = fit_again(replace_window(served), rows, auto)
    assert score_rows(growing, test, auto).scores != pytest.approx(by_hand.scores(test))


def replace_window(bundle: Any) -> Any:
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"window": None}))
