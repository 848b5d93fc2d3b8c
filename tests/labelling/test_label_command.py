"""`label`, from the predictions of a served model to labels in the store, and what `monitor` makes of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from app.commands.label import ask_for_labels, import_labels
from noria.bundle import Bundle
from noria.monitoring.partial_labels import weigh_labels
from noria.monitoring.window import read_window
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace
from noria.traffic.activation import TrafficPlan, write_plan
from tests import bundles
from tests.predicted import prediction_event

ROWS = 120
USE_CASE = bundles.churn().use_case


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace in which a model answered 120 cases 40 days ago."""
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NORIA_PREDICTIONS_URL", raising=False)
    made = Workspace(USE_CASE.name)
    bundle = bundles.make(bundles.churn(), "linear", tmp_path / "bundle")
    write_plan(made.service, TrafficPlan.of(bundle.folder, "1"))
    store = PredictionStore(made.predictions_url)
    store.ingest(_events(bundle))
    store.close()
    return made


def _events(bundle: Bundle) -> list[object]:
    rows = bundles.churn().test.head(ROWS)[bundle.manifest.schema_.names]
    answers, at = bundle.predict(rows), datetime.now(UTC) - timedelta(days=40)
    return [
        prediction_event(
            at,
            row,
            model=USE_CASE.name,
            prediction=answer["prediction"],
            probability=answer["probability"],
            decision=answer["decision"],
        )
        for row, answer in zip(rows.to_dict("records"), answers.to_dict("records"), strict=True)
    ]


def test_labels_are_asked_for_given_and_stored(workspace: Workspace, tmp_path: Path) -> None:
    result = ask_for_labels(USE_CASE, 20, "both")
    assert result.headline.startswith("20 labels wanted")
    assert (workspace.labels / "label_studio" / "tasks.json").is_file()
    table = pd.read_csv(workspace.labels / "wanted.csv", dtype=object)
    assert len(table) == 20
    table["churn"] = table["prediction"]
    table.to_csv(tmp_path / "filled.csv", index=False)
    assert import_labels(USE_CASE, str(tmp_path / "filled.csv"), None, "Ann").headline.startswith("20 labels stored")
    again = import_labels(USE_CASE, str(tmp_path / "filled.csv"), None, "Ann")
    assert (again.headline.split()[0], again.fact("known already")) == ("0", 20)
    assert ask_for_labels(USE_CASE, 200, "csv").headline.startswith("100 labels wanted")


def test_monitoring_lets_the_random_ones_stand_for_those_that_were_not_chosen(
    workspace: Workspace, tmp_path: Path
) -> None:
    ask_for_labels(USE_CASE, 40, "csv", random_share=0.5)
    table = pd.read_csv(workspace.labels / "wanted.csv", dtype=object)
    drawn = set(table.loc[table["selected_by"] == "random", "prediction_id"])
    assert len(drawn) == 20
    table.assign(churn="Yes").to_csv(tmp_path / "filled.csv", index=False)
    import_labels(USE_CASE, str(tmp_path / "filled.csv"), None, "Ann")
    now, store = datetime.now(UTC), PredictionStore(workspace.predictions_url)
    try:
        window = read_window(store, USE_CASE, "1", now)
    finally:
        store.close()
    assert window.cases is not None
    found = weigh_labels(window.cases, window.labelled, ["act", "ask", "leave"], now)
    is_drawn = found.labelled["prediction_id"].isin(drawn).to_numpy()
    assert (is_drawn.sum(), len(is_drawn)) == (20, 40)
    assert found.weights.each[is_drawn].min() > 1.5 * found.weights.each[~is_drawn].max()
    assert found.fair.tolist() == is_drawn.tolist()


def test_two_people_who_disagree_are_shown(workspace: Workspace, tmp_path: Path) -> None:
    ask_for_labels(USE_CASE, 10, "csv")
    table = pd.read_csv(workspace.labels / "wanted.csv", dtype=object)
    both = [table.assign(churn="Yes", labelled_by="Ann"), table.assign(churn="Yes", labelled_by="Ben")]
    both[1].loc[:2, "churn"] = "No"
    pd.concat(both).to_csv(tmp_path / "both.csv", index=False)
    result = import_labels(USE_CASE, str(tmp_path / "both.csv"), None, None)
    assert result.headline.startswith("7 labels stored")
    assert "Cohen's kappa" in str(result.fact("Ann and Ben"))
    assert "on 3 cases" in str(result.fact("people disagree"))
    assert len(pd.read_csv(workspace.labels / "disagreements.csv")) == 6
    settled = import_labels(USE_CASE, str(tmp_path / "both.csv"), "newest", None)
    assert "on 3 cases" in str(settled.fact("people disagree")), "both came at the same time, so neither is the newer"


def test_an_unknown_class_is_refused_with_the_reason(workspace: Workspace, tmp_path: Path) -> None:
    ask_for_labels(USE_CASE, 3, "csv")
    table = pd.read_csv(workspace.labels / "wanted.csv", dtype=object)
    table["churn"] = ["Yes", "perhaps", "Yes"]
    table.loc[2, "prediction_id"] = "someone-else"
    table.to_csv(tmp_path / "filled.csv", index=False)
    assert import_labels(USE_CASE, str(tmp_path / "filled.csv"), None, None).headline.startswith("1 label stored")
    assert len(pd.read_csv(workspace.labels / "refused.csv")) == 2
