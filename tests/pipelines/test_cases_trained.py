"""A turn of the loop: train, predict, get labels, and train again with the new cases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pipeline_runs import output, runs_of

from app.commands.monitor import monitor
from app.commands.train import train
from app.runs.training_record import last_training
from noria.config import UseCase
from noria.monitoring.verdict_history import history_file, read
from noria.predictions import Feedback, PredictionStore
from noria.system.workspace import Workspace
from tests.predicted import prediction_event
from tests.small_cases import churn_table, small_case

pytestmark = [pytest.mark.slow, pytest.mark.e2e]
TABLE, ASKED, KNOWN = 900, 120, 5


@pytest.fixture
def use_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseCase:
    monkeypatch.delenv("NORIA_PREDICTIONS_URL", raising=False)
    file = tmp_path / "customers.csv"
    customers().head(TABLE).to_csv(file, index=False)
    sources = [{"name": "customers", "path": str(file)}, {"name": "asked", "kind": "predictions"}]
    models = {"candidates": {"dummy": {}, "linear": {"tune": False}}, "folds": 2}
    return small_case("churn_cases", file, data={"sources": sources}, models=models)


def customers() -> pd.DataFrame:
    return churn_table(TABLE + ASKED).drop_duplicates(ignore_index=True)


def answer_and_label(rows: pd.DataFrame, at: datetime) -> None:
    """What the service and its users leave in the store."""
    store = PredictionStore(Workspace("churn_cases").predictions_url)
    given = rows.astype(object).where(rows.notna(), None)
    events = [prediction_event(at, row) for row in given.drop(columns="churn").to_dict(orient="records")]
    store.ingest(events)
    labels = [Feedback(id=event.ids[0], label=label) for event, label in zip(events, given["churn"], strict=True)]
    store.add_labels(labels)
    store.close()


def test_labelled_predictions_are_learned_from(use_case: UseCase) -> None:
    workspace = Workspace(use_case.name)
    train(use_case, None)
    first = last_training(workspace)
    assert first is not None and first.cases is not None and first.cases.found == 0

    rows = customers()
    asked = pd.concat([rows.iloc[TABLE:], rows.head(KNOWN)], ignore_index=True)
    answer_and_label(asked, datetime.now(UTC) - timedelta(days=40))
    answer_and_label(rows.iloc[TABLE : TABLE + 3].assign(tenure=71), datetime.now(UTC))

    monitor(use_case, None, None, (datetime.now(UTC) - timedelta(days=35)).isoformat())
    verdict = read(history_file(workspace))[-1]
    assert verdict.at < datetime.now(UTC) - timedelta(days=34)
    assert (verdict.version, verdict.performance.labels) == ("1", len(asked)), "the last three came later"

    told = train(use_case, None)
    second = last_training(workspace)
    assert second is not None and second.cases is not None
    new = len(asked) - KNOWN
    assert (second.cases.found, second.cases.taken) == (len(asked) + 3, new)
    assert sorted(second.cases.left_out.values()) == [3, KNOWN]
    assert int(second.version) > int(first.version)
    assert "labelled prediction" in str(told.fact("labelled cases"))
    table = output(runs_of(use_case)[0], "ingest", "raw_table").load()
    assert len(table) == TABLE + new
    assert table["churn"].iloc[-new:].tolist() == asked["churn"].head(new).tolist()

    again = train(use_case, None)
    assert again.headline.startswith("Nothing new to learn")

    train(use_case, None, now=(datetime.now(UTC) - timedelta(days=60)).isoformat())
    past = last_training(workspace)
    assert past is not None and past.cases is not None
    assert (past.cases.found, past.cases.taken) == (len(asked) + 3, 0), "none was known then"
