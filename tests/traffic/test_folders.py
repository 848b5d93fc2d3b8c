"""What the service folder keeps: orders, their history, policies, copies of bundles."""

import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pytest
from plans import plan, variant

from noria.bundle import Bundle
from noria.deployment import VariantSpec, same_version_variants
from noria.deployment.bundle_cache import cached_bundle, prune_cache
from noria.deployment.variants import plan_of
from noria.models.decision_policy import DecisionPolicy
from noria.system.workspace import Workspace
from noria.traffic import activation, plan_history
from noria.traffic.activation import TrafficPlan
from noria.traffic.policy_versions import policy_version
from tests.bundles import churn, make
from tests.errors_raised import raises

pytestmark = pytest.mark.slow

OWN = DecisionPolicy(threshold=0.5)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    return Workspace("folders")


def test_an_order_comes_back_as_it_was_given(tmp_path: Path) -> None:
    given = plan(0.1)
    activation.write_plan(tmp_path, given)
    assert activation.read_plan(tmp_path) == given


def test_a_damaged_order_is_told(tmp_path: Path) -> None:
    (tmp_path / "active.json").write_text('{"bundle": "/old", "version": "1"}')
    with raises("traffic.plan_unreadable"):
        activation.read_plan(tmp_path)


def _count_up(folder: str) -> None:
    for _ in range(20):
        with activation.plan_lock(Path(folder)):
            found = activation.read_plan(Path(folder))
            assert found is not None
            time.sleep(0.001)
            version = str(int(found.champion.version) + 1)
            activation.write_plan(Path(folder), TrafficPlan(variants=[variant("champion", 1.0, version)]))


def test_two_processes_change_an_order_one_after_the_other(tmp_path: Path) -> None:
    activation.write_plan(tmp_path, TrafficPlan(variants=[variant("champion", 1.0, "0")]))
    processes = [multiprocessing.get_context("spawn").Process(target=_count_up, args=(str(tmp_path),)) for _ in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = activation.read_plan(tmp_path)
    assert found is not None
    assert found.champion.version == "40"


def test_a_policy_has_one_number_for_good(tmp_path: Path) -> None:
    low, high = DecisionPolicy(threshold=0.2), DecisionPolicy(threshold=0.8)
    assert policy_version(tmp_path, "1-abc", OWN, OWN) == "1"
    assert [policy_version(tmp_path, "1-abc", each, OWN) for each in (low, high, low)] == ["2", "3", "2"]
    assert policy_version(tmp_path, "2-def", high, OWN) == "2", "another model has its own"


def test_a_damaged_ledger_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "policies.json").write_text("{half")
    assert policy_version(tmp_path, "1-abc", DecisionPolicy(threshold=0.2), OWN) == "2"
    assert (tmp_path / "policies.json.bad").read_text() == "{half"
    assert json.loads((tmp_path / "policies.json").read_text())["1-abc"][0]["threshold"] == 0.2


def test_the_last_change_can_be_taken_back_and_then_the_one_before(tmp_path: Path) -> None:
    first, second, third = plan(), plan(0.1), plan(0.5)
    plan_history.remember_plan(tmp_path, first)
    plan_history.remember_plan(tmp_path, second)
    assert plan_history.last_other(tmp_path, third) == second
    plan_history.return_to(tmp_path, second)
    assert plan_history.last_other(tmp_path, second) == first
    plan_history.return_to(tmp_path, first)
    assert plan_history.last_other(tmp_path, first) is None


def test_what_stands_again_is_not_its_own_predecessor(tmp_path: Path) -> None:
    first, second = plan(), plan(0.1)
    plan_history.remember_plan(tmp_path, first)
    plan_history.remember_plan(tmp_path, second)
    canary_taken_back = TrafficPlan(variants=first.variants)
    assert plan_history.last_other(tmp_path, canary_taken_back) == second
    plan_history.forget_last(tmp_path, TrafficPlan(variants=second.variants))
    assert plan_history.earlier_plans(tmp_path) == [first]


def test_history_is_bounded_and_a_damaged_one_is_set_aside(tmp_path: Path) -> None:
    for share in range(1, 9):
        plan_history.remember_plan(tmp_path, plan(share / 10))
    assert [each.variants[1].share for each in plan_history.earlier_plans(tmp_path)] == [0.4, 0.5, 0.6, 0.7, 0.8]
    (tmp_path / "history.json").write_text("{half")
    assert plan_history.earlier_plans(tmp_path) == []
    assert (tmp_path / "history.json.bad").exists()


def test_a_bundle_is_copied_once_and_again_when_the_copy_is_damaged(workspace: Workspace, tmp_path: Path) -> None:
    bundle = make(churn(), "dummy", tmp_path / "bundle")
    copy = cached_bundle(workspace, bundle)
    inode = copy.stat().st_ino
    assert cached_bundle(workspace, bundle) == copy
    assert copy.stat().st_ino == inode
    (copy / "manifest.json").write_text("{}")
    assert cached_bundle(workspace, bundle) == copy
    assert Bundle.load(copy).manifest == bundle.manifest
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_a_bundle_that_was_damaged_after_it_was_loaded_is_not_copied(workspace: Workspace, tmp_path: Path) -> None:
    bundle = make(churn(), "dummy", tmp_path / "bundle")
    cached_bundle(workspace, bundle)
    victim = next(path for path in bundle.folder.iterdir() if not path.name.startswith("manifest"))
    victim.write_bytes(victim.read_bytes()[:-1])
    with raises("bundle.checksum_mismatch"):
        cached_bundle(workspace, bundle)


def test_pruning_spares_the_newest_and_those_in_use(tmp_path: Path) -> None:
    for place, name in enumerate("abcde"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (place, place))
    prune_cache(tmp_path, {tmp_path / "a"}, newest=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "d", "e"]
    shutil.rmtree(tmp_path / "e")
    prune_cache(tmp_path, set(), newest=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["smoke", "", "two words", "../up", "x" * 65])
def test_names_that_no_variant_may_have(workspace: Workspace, tmp_path: Path, name: str) -> None:
    bundle = make(churn(), "dummy", tmp_path / "bundle")
    with raises("traffic.variant_name_invalid"):
        VariantSpec(bundle, name).variant(workspace)


def test_rules_of_the_same_version_are_told_from_its_model(workspace: Workspace, tmp_path: Path) -> None:
    model, rules = make(churn(), "dummy", tmp_path / "model"), make(churn(), "rules", tmp_path / "rules")
    specs = [VariantSpec(model, "main", 0.7), VariantSpec(rules, "old_rules", 0.3)]
    activation.write_plan(workspace.service, plan_of(workspace, specs))
    plan_history.remember_plan(workspace.service, plan_of(workspace, [VariantSpec(rules, "main_once")]))
    assert same_version_variants(workspace, model) == {"old_rules", "main_once"}
    assert same_version_variants(workspace, rules) == {"main"}
