"""`data.window` through the whole pipeline: chosen on training rows, cut after history, kept with the model."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pipeline_runs import output, runs_of

from app.commands.train import train
from app.runs.training_record import last_training
from noria.config import UseCase
from noria.config.data import WindowConfig
from noria.data.split import split
from noria.data.window import within_window
from noria.system.workspace import Workspace
from steps.shared.champion import find_champion
from tests.training_windows.window_cases import DAYS, PER_DAY, table, use_case

pytestmark = [pytest.mark.slow, pytest.mark.e2e]
HISTORY = {"history": [{"name": "size_7d", "of": "y", "stat": "mean", "over": "7d"}]}


def case_of(folder: Path, name: str, window: Any) -> tuple[UseCase, pd.DataFrame]:
    rows = table(drift=6.0)
    rows.to_csv(folder / "orders.csv", index=False)
    data = {"sources": [{"name": "orders", "path": str(folder / "orders.csv")}]}
    models = {"candidates": {"linear": {"tune": False}}, "folds": 3, "trials": 0}
    case = use_case(window, data=data, models=models, features=HISTORY)
    return UseCase.model_validate(case.model_dump() | {"name": name}), rows


def test_a_chosen_window_is_that_of_the_model_of_the_report_and_of_the_record(tmp_path: Path) -> None:
    case, rows = case_of(tmp_path, "orders_auto", "auto")
    ended = train(case, None)
    run = runs_of(case)[0]
    choice, champion = output(run, "choose_window", "window").load(), find_champion(case.name)
    assert choice.window is not None
    assert champion is not None and champion.manifest.window == choice.window
    train_rows, test_rows = (output(run, "split", name).load() for name in ("train_rows", "test_rows"))
    assert [len(part) for part in split(rows, case)] == [len(train_rows), len(test_rows)], "the choice moves no row"
    assert choice.starts[-1].replace(tzinfo=None) < train_rows["day"].max() < test_rows["day"].min()
    judged = output(run, "select", "fitted_challenger").load()
    assert judged.manifest.learned.rows == len(within_window(train_rows, choice.window, "day"))
    assert champion.manifest.learned.rows == len(within_window(rows, choice.window, "day"))
    record = last_training(Workspace(case.name))
    assert record is not None and record.window == choice.reason == ended.fact("learned from")
    report = Path(str(ended.fact("model report"))).read_text(encoding="utf-8")
    assert f"{choice.window} (chosen)" in report
    assert all(trial.window in report for trial in choice.trials)
    assert train(case, None).headline.startswith("Nothing new to learn")


def test_the_first_rows_of_a_window_have_the_history_that_they_had(tmp_path: Path) -> None:
    case, rows = case_of(tmp_path, "orders_days", {"days": 60, "half_life_days": 30})
    train(case, None)
    valid = output(runs_of(case)[0], "validate", "valid_rows").load()
    assert len(valid) == 61 * PER_DAY
    first = valid[valid["day"] == valid["day"].min()]
    before = rows[(rows["day"] < first["day"].iloc[0]) & (rows["day"] >= first["day"].iloc[0] - pd.Timedelta(days=7))]
    assert len(before) == 7 * PER_DAY < DAYS * PER_DAY
    assert first["size_7d"].notna().all()
    assert first["size_7d"].iloc[0] == pytest.approx(before["y"].mean(), abs=0.5)
    champion = find_champion(case.name)
    assert champion is not None
    assert champion.manifest.window == WindowConfig(days=60, half_life_days=30)
    record = last_training(Workspace(case.name))
    assert record is not None and str(champion.manifest.window) in record.window
