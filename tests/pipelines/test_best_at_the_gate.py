"""Where the readable candidate does not pass, the best one is promoted, with metrics and a report of its own."""

from pathlib import Path

import mlflow
import pytest
from pipeline_runs import output, runs_of

from app.commands.train import train
from noria.training import selection
from steps.shared.champion import require_champion
from tests.small_cases import churn_table, small_case

pytestmark = pytest.mark.e2e


def test_what_is_promoted_is_what_was_judged(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "churn.csv"
    churn_table(1200).to_csv(path, index=False)
    case = small_case("best_wins", path, models={"trials": 0})
    choose = selection.select

    def prefer_a_constant(*given: object) -> selection.Selection:
        chosen = choose(*given)  # type: ignore[arg-type]
        return chosen.model_copy(update={"kind": "dummy", "params": {}, "reason": "a constant is easy to read."})

    monkeypatch.setattr(selection, "select", prefer_a_constant)
    result = train(case, None)
    run = runs_of(case)[0]
    verdict, evaluation = (output(run, "gate", name).load() for name in ("verdict", "final_evaluation"))
    best = output(run, "select", "selection").load().best
    assert best != "dummy"
    assert (verdict.promote, verdict.candidate) == ("challenger", best)
    champion = require_champion(case.name).manifest
    assert champion.kind == best == evaluation.kind
    assert champion.metrics == evaluation.metrics
    assert champion.metrics["roc_auc"].value > 0.75
    assert f"Promoted: {best}" in result.headline
    assert f"{champion.metrics['roc_auc'].value:.3f}" in str(result.fact("roc_auc"))
    store = mlflow.MlflowClient(f"sqlite:///{home / 'artifacts' / 'mlflow.db'}")
    version = store.get_model_version_by_alias(case.name, "champion")
    assert version.tags["kind"] == best
    logged = store.get_run(str(version.run_id)).data.metrics
    assert logged["test_roc_auc"] == pytest.approx(champion.metrics["roc_auc"].value)
    page = Path(str(result.fact("model report"))).read_text(encoding="utf-8")
    assert "Two candidates were tried" in page
    assert "97.5" in page
