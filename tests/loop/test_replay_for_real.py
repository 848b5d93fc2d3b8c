"""A slice of a replay: a real service is asked, labels come late, the loop looks and may retrain."""

import json
from pathlib import Path

import pytest

from app.command_result import CommandResult
from app.commands.replay import replay, replayed_case
from noria.config import UseCase
from noria.loop import Journal, journal_file
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace
from tests.bundles import bike, changed
from tests.errors_raised import raises

DAYS, HOURS = 21, 24


@pytest.fixture
def use_case() -> UseCase:
    return changed(
        bike().use_case,
        models={"candidates": {"dummy": {}, "xgboost": {"params": {"n_estimators": 60}, "tune": False}}, "trials": 0},
        evaluation={"bootstrap": 100},
        monitoring={"window_days": 14, "min_labels": 50, "min_rows": 50},
        loop={"price": 1, "horizon_days": 60, "trial_days": 7, "cooldown_days": 0},
    )


def test_what_cannot_be_replayed_is_refused(use_case: UseCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    calls = {"replay.day_invalid": ("soon", "2012-02-01"), "replay.period_empty": ("2012-02-01", "2012-02-01")}
    for code, (since, until) in calls.items():
        with raises(code):
            replay(use_case, "local", since=since, until=until, every="7d", title=print)
    with raises("loop.interval_invalid"):
        replay(use_case, "local", since="2012-01-01", until="2012-02-01", every="never", title=print)


@pytest.mark.e2e
def test_a_slice_of_a_replay(use_case: UseCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path / "home" / "zenml"))
    ended: CommandResult = replay(
        use_case, "local", since="2012-01-01", until="2012-01-22", every="7d", title=lambda text: None
    )
    workspace = Workspace(use_case.name)
    store = PredictionStore(workspace.predictions_url)
    counts = store.counts()
    store.close()
    rows = bike().test.pipe(lambda test: test[test["dteday"].between("2012-01-01", "2012-01-21")])
    assert counts.predictions == len(rows)
    # labels of the last day are known when the replay has ended
    assert len(rows) - 2 * HOURS <= counts.labelled <= len(rows)
    looks = [entry for entry in Journal(journal_file(workspace)).entries if entry.kind == "look"]
    assert [f"{entry.at:%Y-%m-%d}" for entry in looks] == ["2012-01-08", "2012-01-15"]
    names = [name for name, _ in ended.facts]
    assert {"never", "Noria", "calendar, each period", "hindsight, by price", "report"} <= set(names)
    assert Path(str(ended.fact("report"))).is_file()
    figures = json.loads(Path(str(ended.fact("figures"))).read_text(encoding="utf-8"))
    assert figures["cases"] == len(rows)
    assert len({len(world["by_period"]) for world in figures["worlds"]}) == 1


def test_a_replay_learns_from_the_past_alone_and_acts_at_once(use_case: UseCase) -> None:
    from datetime import UTC, datetime

    since = datetime(2012, 1, 1, tzinfo=UTC)
    case = replayed_case(use_case, since)
    assert case.data.until == since and case.split.cutoff is None
    assert [source.kind for source in case.data.sources] == ["table", "predictions"]
    assert case.loop.actions.promote == "do" and case.loop.route.shadow_hours == 0
    assert case.serving.port != use_case.serving.port
