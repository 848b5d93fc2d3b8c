"""Monitoring goes by the time of the case, and can look at the past."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from app.commands.monitor import monitor as command
from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring import monitor, read_window
from noria.predictions import Feedback, PredictionStore
from noria.system.workspace import Workspace
from tests.errors_raised import raises
from tests.monitoring.conftest import Tables
from tests.monitoring.served import NOW
from tests.predicted import prediction_event

MARCH = datetime(2013, 3, 31, tzinfo=UTC)


def ask(store: PredictionStore, bundle: Bundle, rows: pd.DataFrame, happens: list[datetime]) -> list[str]:
    """Predictions that were asked two days ago, of cases that happen at these times; their ids."""
    names = bundle.manifest.schema_.names
    answers = bundle.predict(rows)
    events = [
        prediction_event(
            NOW - timedelta(days=2),
            row,
            prediction=answer["prediction"],
            probability=answer["probability"],
            decision=answer["decision"],
            event_times=[at.timestamp()],
        )
        for row, answer, at in zip(
            rows[names].astype(object).where(rows[names].notna(), None).to_dict(orient="records"),
            answers.to_dict(orient="records"),
            happens,
            strict=True,
        )
    ]
    store.ingest(events)
    return [event.ids[0] for event in events]


@pytest.mark.slow
def test_windows_waits_and_labels_go_by_the_time_of_the_case(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    days = [MARCH - timedelta(days=day) for day in (1, 2, 20, 80)]  # labels take 30 days, the window is 30 days long
    ids = ask(store, churn_bundle, churn_rows[1].head(4), days)
    store.add_labels([Feedback(id=ids[0], label="Yes", at=days[1]), Feedback(id=ids[1], label="Yes", at=MARCH)])
    store.add_labels([Feedback(id=ids[1], label="No", at=MARCH)])

    window = read_window(store, churn, "1", MARCH)
    verdict = monitor(churn_bundle, window, churn, workspace, MARCH)

    assert window.recent["prediction_id"].tolist() == [ids[2], ids[1], ids[0]]
    assert window.outside == "", "the cases of another time were asked at another time, too"
    found = verdict.performance
    assert (found.labels, found.waiting, found.overdue, found.changed, found.early) == (2, 1, 0, 1, 1)
    assert len([reason for reason in verdict.reasons if "two labels" in reason or "dated before" in reason]) == 2


@pytest.mark.slow
def test_a_window_that_misses_the_cases_says_so(
    churn_bundle: Bundle, churn_rows: Tables, churn: UseCase, store: PredictionStore, workspace: Workspace
) -> None:
    ask(store, churn_bundle, churn_rows[1].head(2), [MARCH, MARCH])
    verdict = monitor(churn_bundle, read_window(store, churn, "1", NOW), churn, workspace, NOW)
    assert any("2 predictions" in reason and "--now" in reason for reason in verdict.reasons)


def test_a_time_that_is_none_is_refused(churn: UseCase, tmp_path: Path) -> None:
    with raises("cli.now_invalid"):
        command(churn, None, None, "in March")
