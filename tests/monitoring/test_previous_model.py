"""The model beside the one before it, on the same cases."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.loop import LoopActions, LoopConfig
from noria.config.serving import PrivacyConfig
from noria.loop import Journal, choose, evidence_of
from noria.monitoring import MonitoringVerdict, monitor, read_window
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace
from tests import bundles
from tests.monitoring.conftest import judged
from tests.monitoring.served import NOW, serve


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Version 2, which has learned from rows whose labels were mixed up."""
    use_case, train, test = bundles.churn()
    mixed = train.assign(churn=np.random.default_rng(0).permutation(train["churn"].to_numpy()))
    return bundles.make(
        bundles.Case(use_case, mixed, test), "linear", tmp_path_factory.mktemp("careless") / "bundle", version="2"
    )


def check(bundle: Bundle, previous: Bundle | None, store: PredictionStore, use_case: UseCase) -> MonitoringVerdict:
    window = read_window(store, use_case, bundle.manifest.version, NOW)
    return monitor(bundle, window, use_case, Workspace(use_case.name), NOW, previous=previous)


def decided(verdict: MonitoringVerdict, folder: Path) -> tuple[str, str]:
    """The action, and the rule that decides, where the rules are no way out."""
    config = LoopConfig(actions=LoopActions(roll_back="do", fall_back_to_rules="never"))
    found = choose(evidence_of(verdict, Journal(folder / "journal.jsonl"), config), config)
    return found.action, found.why[-1].rule


def test_a_new_model_that_decides_worse_is_rolled_back(
    careless: Bundle,
    churn_bundle: Bundle,
    store: PredictionStore,
    tmp_path: Path,
) -> None:
    rows = bundles.churn().test
    serve(store, careless, rows, NOW - timedelta(days=2), rows["churn"])
    verdict = check(careless, churn_bundle, store, bundles.churn().use_case)
    assert verdict.previous is not None and verdict.previous.worse
    assert (verdict.previous.version, verdict.previous.high < 0) == ("1", True)
    assert decided(verdict, tmp_path) == ("roll_back", "worse_than_previous")


def test_a_model_is_not_blamed_for_a_world_that_has_become_worse(
    churn_bundle: Bundle,
    store: PredictionStore,
    tmp_path: Path,
) -> None:
    """Customers now leave for other reasons. The model before it, in better times, has brought in far more."""
    found = judged(bundles.churn(), "tree", tmp_path)
    before = Bundle(found.manifest.model_copy(update={"version": "0"}), found.folder)
    rows = bundles.churn().test
    mixed = pd.Series(np.random.default_rng(1).permutation(rows["churn"].to_numpy()))
    serve(store, before, rows, NOW - timedelta(days=40), rows["churn"])
    serve(store, churn_bundle, rows, NOW - timedelta(days=2), mixed)
    good_times = check(before, None, store, bundles.churn().use_case)
    verdict = check(churn_bundle, before, store, bundles.churn().use_case)
    then, now = good_times.performance.worth, verdict.performance.worth
    assert then is not None and now is not None
    assert now.high < then.low, "two periods, compared with each other, would say it is worse"
    assert verdict.previous is not None and not verdict.previous.worse
    assert decided(verdict, tmp_path)[1] != "worse_than_previous"


def test_a_model_is_not_compared_on_what_the_store_does_not_keep(
    careless: Bundle,
    churn_bundle: Bundle,
    store: PredictionStore,
) -> None:
    rows = bundles.churn().test
    serve(store, careless, rows, NOW - timedelta(days=2), rows["churn"])
    use_case = bundles.churn().use_case
    private = use_case.serving.model_copy(update={"privacy": PrivacyConfig(hash=["tenure"])})
    hidden = use_case.model_copy(update={"serving": private})
    assert check(careless, churn_bundle, store, hidden).previous is None
