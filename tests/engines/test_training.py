"""On a Ray cluster of two nodes training finds what it finds on this machine."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mixed
import numpy as np
import pandas as pd
import pytest
from bundles import bike, changed, churn
from listening import listen
from sklearn.metrics import roc_auc_score

from noria.config import UseCase
from noria.config.data import WindowConfig
from noria.config.engine import EngineConfig
from noria.engines.ray import cluster as connection
from noria.engines.ray.engine import RayEngine
from noria.engines.ray.storage import place
from noria.models.cross_validation import cross_validate
from noria.models.fitted_model import FittedModel, fit
from noria.models.training_rows import read_training_rows
from noria.system.workspace import PROJECT
from noria.training.leaderboard import fit_bundle, score_candidates, tune_candidates
from noria.training.refit import refit_bundle
from tests.errors_raised import raises

pytest.importorskip("ray")
pytestmark = pytest.mark.e2e

SOME = {"n_estimators": 80, "learning_rate": 0.1, "max_depth": 4, "subsample": 0.8}
LONG = {"n_estimators": 160, "learning_rate": 0.03, "max_depth": 4, "subsample": 0.8}


@pytest.fixture
def heard() -> list[str]:
    said: list[str] = []
    listen(lambda kind, text: said.append(text))
    return said


def on_ray(use_case: UseCase, cluster: str, storage: Path, **keys: int) -> UseCase:
    engine = EngineConfig(name="ray", address=cluster, storage=str(storage), **keys)
    return use_case.model_copy(update={"engine": engine})


@contextmanager
def started(script: str, use_case: UseCase, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own that runs a script on the churn table."""
    (folder / "use_case.json").write_text(use_case.model_dump_json(), encoding="utf-8")
    churn().train.to_pickle(folder / "train.pkl")
    begin = (
        "import sys; from pathlib import Path; import pandas as pd; from noria.config import UseCase\n"
        "folder = Path(sys.argv[1])\n"
        "train = pd.read_pickle(folder / 'train.pkl')\n"
        "use_case = UseCase.model_validate_json((folder / 'use_case.json').read_bytes())\n"
    )
    command = [sys.executable, "-c", begin + script, str(folder)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def auc(fitted: FittedModel) -> float:
    case = churn()
    left = case.test[case.use_case.data.target].astype(str) == str(case.use_case.problem.positive)
    return float(roc_auc_score(left, fitted.scores(case.test)))


def test_rows_read_in_batches_are_the_same_rows(cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RayEngine, "rows_per_task", 70)
    table, use_case = mixed.table(), mixed.use_case("binary")
    here = read_training_rows(table, use_case)
    there = read_training_rows(table, on_ray(use_case, cluster, tmp_path))
    assert there.schema == here.schema
    assert np.array_equal(there.checked.matrix, here.checked.matrix, equal_nan=True)
    assert there.checked.frame.equals(here.checked.frame)
    assert (there.checked.errors, there.checked.warnings) == (here.checked.errors, here.checked.warnings)
    assert np.array_equal(there.target, here.target)


def test_candidates_score_the_same_and_tuning_tries_the_same_first(
    cluster: str, tmp_path: Path, heard: list[str]
) -> None:
    case = bike()
    here = changed(case.use_case, models={"trials": 3, "folds": 3, "candidates": {"tree": {}, "xgboost": {}}})
    there = on_ray(here, cluster, tmp_path)
    table = case.train.head(4000)
    alone, out_of_fold = score_candidates(table, here)
    spread, spread_out_of_fold = score_candidates(table, there)
    assert [(score.kind, score.mean) for score in spread.scores] == [(score.kind, score.mean) for score in alone.scores]
    assert spread_out_of_fold.equals(out_of_fold)

    told = []
    tuned, _ = tune_candidates(table, spread, spread_out_of_fold, there, told.append)
    assert sorted((trial.kind, trial.number) for trial in told) == [
        (kind, number) for kind in ("tree", "xgboost") for number in range(3)
    ]
    assert tuned.trials == told
    for score in tuned.scores:
        first = next(each for each in spread.scores if each.kind == score.kind)
        assert score.mean <= first.mean  # an error: the first trial takes the parameters as configured
    trial = next(each for each in told if each.kind == "xgboost" and each.number == 1)
    assert cross_validate("xgboost", trial.params, table, here)[0].mean == pytest.approx(trial.value, rel=1e-9)
    assert any("xgboost: trial 3 of 3" in text for text in heard)
    assert not list(tmp_path.rglob("*.json"))


def test_how_far_a_run_has_come_is_not_known_while_that_is_being_written(tmp_path: Path) -> None:
    from noria.engines.ray import boosting  # which needs Ray

    for content in ("", '{"latest_checkpoint_result": {"metr'):
        (tmp_path / boosting._SNAPSHOT).write_text(content)
        assert boosting._rounds_in(str(tmp_path)) == 0


def test_two_workers_fit_one_model_as_good_as_one_process(cluster: str, tmp_path: Path) -> None:
    case = churn()
    here = fit("xgboost", SOME, case.train, case.use_case)
    there = fit("xgboost", SOME, case.train, on_ray(case.use_case, cluster, tmp_path))
    assert there.booster.num_boosted_rounds() == SOME["n_estimators"]
    assert auc(there) == pytest.approx(auc(here), abs=0.005)
    assert np.abs(there.scores(case.test) - here.scores(case.test)).mean() < 0.03
    assert not list(tmp_path.rglob("*.ubj"))


def test_each_worker_weighs_its_rows_by_their_age(cluster: str, tmp_path: Path) -> None:
    case = bike()
    window = WindowConfig(half_life_days=20)
    here, plain = (
        fit("xgboost", SOME, case.train, case.use_case.with_window(each)).scores(case.test) for each in (window, None)
    )
    there = on_ray(case.use_case.with_window(window), cluster, tmp_path)
    weighed = fit("xgboost", SOME, case.train, there).scores(case.test)
    assert np.abs(weighed - here).mean() < 0.5 * np.abs(weighed - plain).mean()


def test_what_is_promoted_learns_from_all_rows_there_too(cluster: str, tmp_path: Path) -> None:
    use_case, train, test = churn()
    models = {"candidates": {"xgboost": {"params": SOME}}, "trials": 0, "folds": 2}
    there = on_ray(changed(use_case, models=models), cluster, tmp_path)
    leaderboard, out_of_fold = score_candidates(train, there)
    score = next(each for each in leaderboard.scores if each.kind == "xgboost")
    given = {"out_of_fold": out_of_fold, "folder": tmp_path / "served"}
    judged = fit_bundle(score, train, out_of_fold, there, fingerprint="0" * 64, version="1", folder=tmp_path / "judged")
    served = refit_bundle(judged, train, test, there, **given)
    here = fit("xgboost", SOME, pd.concat([train, test], ignore_index=True), use_case)
    assert served.manifest.learned == here.learned
    assert here.keys is not None
    assert np.array_equal(served.learned_keys(), np.unique(here.keys))
    assert np.abs(served.scores(test) - here.scores(test)).mean() < 0.03


def test_a_killed_run_goes_on_from_its_last_checkpoint(cluster: str, tmp_path: Path, heard: list[str]) -> None:
    case = churn()
    use_case = on_ray(case.use_case, cluster, tmp_path, checkpoint_every=20)
    script = f"from noria.models.fitted_model import fit; fit('xgboost', {LONG!r}, train, use_case)\n"
    with started(script, use_case, tmp_path) as killed:
        while not any('"rounds"' in each.read_text() for each in tmp_path.rglob("*_snapshot.json")):
            assert killed.poll() is None
            time.sleep(0.1)
        killed.kill()

    fitted = fit("xgboost", LONG, case.train, use_case)
    resumed = next(text for text in heard if text.startswith("resume"))
    assert int(resumed.partition("after round ")[2].split()[0]) in range(20, LONG["n_estimators"], 20), resumed
    assert fitted.booster.num_boosted_rounds() == LONG["n_estimators"]
    assert auc(fitted) == pytest.approx(auc(fit("xgboost", LONG, case.train, case.use_case)), abs=0.005)
    assert not list(tmp_path.rglob("*.ubj"))


def test_ctrl_c_ends_tuning(cluster: str, tmp_path: Path) -> None:
    here = changed(churn().use_case, models={"trials": 40, "folds": 2, "candidates": {"tree": {}}})
    script = (
        "from noria.engines import engine_of; from noria.models.shared_folds import SharedFolds\n"
        "from noria.training.tuning import tune; from noria.system.signals import Stopped, stop_on_signals\n"
        "def heard(trial): print(trial.number, flush=True)\n"
        "try:\n"
        "    with stop_on_signals():\n"
        "        folds = SharedFolds(train, use_case, ['tree'], engine_of(use_case.engine))\n"
        "        tune('tree', train, use_case, heard, folds=folds)\n"
        "except Stopped as stopped: sys.exit(stopped.exit_code)\n"
    )
    with started(script, on_ray(here, cluster, tmp_path), tmp_path) as tuning:
        assert tuning.stdout is not None
        assert tuning.stdout.readline().strip() == "0"
        tuning.send_signal(signal.SIGINT)
        assert tuning.wait(60) == 128 + signal.SIGINT
        assert len(tuning.stdout.readlines()) < 39
    assert not list(tmp_path.rglob("tuning-*"))


def test_what_the_library_refuses_is_told_as_on_one_machine(cluster: str, tmp_path: Path) -> None:
    case = churn()
    with raises("models.fit_failed", "`xgboost`"):
        fit("xgboost", {**SOME, "max_depth": -4}, case.train, on_ray(case.use_case, cluster, tmp_path))
    use_case = changed(
        on_ray(case.use_case, cluster, tmp_path),
        models={"candidates": {"linear": {"params": {"C": -1.0}}}, "folds": 2},
    )
    with raises("models.fit_failed", "`linear`"):
        score_candidates(case.train, use_case)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1:1", ("engine.cluster_unreachable", "refused")),
        ("nowhere.invalid:6379", ("engine.cluster_unreachable",)),
        ("ray://127.0.0.1:10001", ("engine.cluster_unreachable", "HOST:PORT")),
        ("auto", ("engine.cluster_unreachable", "HOST:PORT")),
        ("${env:NORIA_NO_SUCH_CLUSTER}", ("config.variable_unset", "NORIA_NO_SUCH_CLUSTER")),
    ],
)
def test_a_cluster_that_is_not_there_is_told_at_once(
    address: str, told: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with raises(*told):
        connection.connect(EngineConfig(name="ray", address=address, storage=str(tmp_path)))


def test_without_ray_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with raises("engine.ray_missing") as caught:
        fit("xgboost", SOME, churn().train, churn().use_case.model_copy(update={"engine": EngineConfig(name="ray")}))
    assert "requirements-ray.lock" in caught.value.fix


def test_more_workers_than_this_machine_has_cores_are_refused() -> None:
    class TwoCores:
        @staticmethod
        def cluster_resources() -> dict[str, float]:
            return {"CPU": 2.0}

    with raises("engine.cores_too_few", "4 workers", "8 cores"):
        connection.require_cores(TwoCores, EngineConfig(name="ray", workers=4, cores=2))


def test_another_version_on_a_machine_of_the_cluster_is_told(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_case = on_ray(churn().use_case, cluster, tmp_path)
    ray = connection.connect(use_case.engine)
    there = connection._versions()
    monkeypatch.setattr(connection, "gather", lambda ray, work: [{**there, "xgboost": "1.0"} for _ in work])
    with raises("engine.versions_differ", "xgboost 1.0"):
        connection._require_versions(ray, cluster)


def test_the_default_storage_is_the_workspace_and_one_of_its_own_may_be_a_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path))
    monkeypatch.setenv("BUCKET", "models")
    use_case = churn().use_case
    assert place(use_case.engine, use_case.name, "x") == str(tmp_path / "telco_churn" / "ray" / "x")
    engine = EngineConfig(name="ray", storage="s3://${env:BUCKET}/ray/")
    assert place(engine, use_case.name, "x") == "s3://models/ray/telco_churn/x"
