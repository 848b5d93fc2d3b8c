"""A change is noted in the prediction store, or waits for it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from plans import plan

from noria.deployment import Deployment, PlanChange, ServerSettings
from noria.deployment.audit import recent_changes, record_change
from noria.predictions import PredictionStore
from noria.predictions.spool.flusher import Flusher
from noria.system.workspace import Workspace
from tests.bundles import churn


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlanChange:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    use_case = churn().use_case
    workspace = Workspace(use_case.name)
    deployment = Deployment(
        use_case=use_case.name,
        version="1",
        bento=tmp_path,
        settings=ServerSettings.of(use_case, workspace),
        code="",
        pid=1,
        process_started=0,
        started_at=datetime.now(UTC),
        log=tmp_path / "log",
    )
    return PlanChange(deployment, plan(), plan(0.25))


def test_who_changed_what_is_told_the_newest_first(changed: PlanChange) -> None:
    url = changed.deployment.settings.predictions_url
    record_change(changed, "traffic", "challenger set to 0.25")
    record_change(PlanChange(changed.deployment, changed.after, plan()), "traffic", "rolled back")
    last, first = recent_changes(url)
    assert "UTC: challenger set to 0.25 by " in first
    assert first.endswith("champion 0.75 (version 1), challenger 0.25 (version 2); before: champion 1 (version 1)")
    assert "rolled back" in last
    assert recent_changes(url, limit=1) == [last]


def test_while_the_store_does_not_work_the_note_waits_in_the_spool(changed: PlanChange) -> None:
    settings = changed.deployment.settings
    database = Path(settings.predictions_url.removeprefix("sqlite:///"))
    database.mkdir()
    record_change(changed, "traffic", "challenger set to 0.25")
    database.rmdir()
    store = PredictionStore(settings.predictions_url)
    assert recent_changes(settings.predictions_url) == []
    Flusher(settings.spool, store).flush()
    store.close()
    assert ["challenger set to 0.25" in change for change in recent_changes(settings.predictions_url)] == [True]
