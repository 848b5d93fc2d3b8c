"""Monitoring at intervals by a stack's orchestrator: ZenML's Kubernetes one, against a server that speaks the API."""

from typing import Any

import pytest
from test_on_a_cluster import stack

from app.command_result import CommandResult
from app.commands.monitor import monitor, schedule_monitoring
from noria.config import UseCase
from noria.monitoring import MonitoringVerdict
from noria.monitoring.verdict_history import history_file, read
from noria.system.workspace import Workspace
from tests.cluster.fake_api import Cluster
from tests.errors_raised import raises

__all__ = ["stack"]


@pytest.mark.e2e
def test_a_schedule_is_made_replaced_and_ended(
    cluster: Cluster, stack: str, trained: CommandResult, use_case: UseCase
) -> None:
    made = schedule_monitoring(use_case, "https://example.com/labels.csv", stack, "1h")
    assert made.fact("stack") == stack
    [first] = cluster.cron_jobs.values()
    assert first["spec"]["schedule"] == "0 * * * *"
    assert _image(first) == "registry.example.com/noria-pipeline:7"

    schedule_monitoring(use_case, None, stack, "6h")
    [second] = cluster.cron_jobs.values()
    assert second["spec"]["schedule"] == "0 */6 * * *"

    schedule_monitoring(use_case, None, stack, "never")
    assert cluster.cron_jobs == {}
    assert "no schedule" in schedule_monitoring(use_case, None, stack, "never").headline


def _image(cron_job: dict[str, Any]) -> str:
    return str(cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.mark.e2e
def test_a_look_in_a_new_workspace_knows_of_those_before_it(trained: CommandResult, use_case: UseCase) -> None:
    """Otherwise each look in a pod of its own would be a first one, and allow for too little chance."""
    history = history_file(Workspace(use_case.name))
    history.unlink(missing_ok=True)
    before = len(_looks(use_case))
    history.unlink(missing_ok=True)
    after = _looks(use_case)
    assert len(after) == before + 1
    assert [each.at for each in after] == sorted(each.at for each in after)


def _looks(use_case: UseCase) -> list[MonitoringVerdict]:
    """All verdicts in the workspace after one more."""
    monitor(use_case, None, None)
    return read(history_file(Workspace(use_case.name)))


@pytest.mark.e2e
def test_a_stack_that_knows_no_schedules_is_refused(trained: CommandResult, use_case: UseCase) -> None:
    with raises("pipelines.schedules_unsupported", "local"):
        schedule_monitoring(use_case, None, None, "1h")


@pytest.mark.parametrize("every", ["7m", "5h", "90m", "30s", "2d"])
def test_an_interval_that_no_cron_expression_has_is_refused(use_case: UseCase, every: str) -> None:
    with raises("pipelines.interval_not_schedulable", "--every"):
        schedule_monitoring(use_case, None, None, every)


def test_labels_of_this_machine_are_refused(use_case: UseCase) -> None:
    with raises("pipelines.path_not_schedulable", "labels.csv"):
        schedule_monitoring(use_case, "labels.csv", None, "1h")


def test_a_schedule_is_not_about_one_moment(use_case: UseCase) -> None:
    with raises("pipelines.now_not_schedulable", "--now"):
        schedule_monitoring(use_case, None, None, "1h", now="2026-01-01")
