"""A short run of `benchmarks/endurance.py`: workers killed, the store locked, a new model, and nothing lost."""

from pathlib import Path

import pytest

from benchmarks.endured import report, stores
from benchmarks.endured.measure import Times, endure
from benchmarks.served.case import ID, table, use_case
from noria.bundle import write_bundle
from noria.models.fitted_model import fit
from noria.models.policy_choice import DecisionPolicy

pytestmark = pytest.mark.e2e
_TIMES = Times(load=25.0, saturation=2.0, kill_every=7.0, outage=6.0, flush=120.0)


def test_nothing_is_lost_while_workers_die_the_store_stops_and_a_new_model_comes(tmp_path: Path) -> None:
    case, customers = use_case(), table(2_000)
    fitted = fit("xgboost", {"n_estimators": 20, "max_depth": 3}, customers, case)
    assert ID in customers
    bundle = write_bundle(
        tmp_path / "bundle",
        fitted,
        use_case=case,
        train=customers,
        out_of_fold=fitted.scores(customers),
        policy=DecisionPolicy(threshold=0.5),
        fingerprint="0" * 64,
        version="1",
    )
    with stores.sqlite(tmp_path / "predictions.db") as store:
        found = endure(tmp_path, bundle, store, _TIMES, workers=2, say=lambda _: None)
    assert [goal for goal, met in report.goals(found, memory=False).items() if not met] == []
    assert found.answered > 100
    done = [event.what.partition(" ")[0] for event in found.events]
    assert done.count("killed") >= 2
    assert {"store", "new"} <= set(done)
