"""`rollback`: put back what answered before the last change."""

from app.commands.promote import bundle_artifact
from app.commands.result import CommandResult, run_py
from app.commands.traffic_summary import change_facts
from app.environment import zenml_client
from app.serving import backend
from app.serving.backend import place_of
from app.stacks.stacks import stack_for_one_run
from noria import deployment as processes
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment.audit import record_change
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic import plan_history, plan_transforms
from noria.traffic.activation import TrafficPlan


def rollback(use_case: UseCase, stack: str | None) -> CommandResult:
    """Put back what answered before the last change; the registries follow if it was another champion.

    Raises:
        NoriaError: no service runs, there is nothing to take back, or it cannot be put back.
    """
    workspace, place = Workspace(use_case.name), place_of(stack)
    if place is not None:
        with exclusive("deploy", workspace):
            return CommandResult(*backend.required(place).roll_back(), [run_py("status")])
    with exclusive("deploy", workspace):
        standing = processes.current_plan(workspace, processes.running_server(workspace))
        before = plan_history.last_other(workspace.service, standing)
        if before is None:
            raise NoriaError(
                "there is nothing to take back: nothing has changed since the service was first deployed",
                where=str(workspace.service),
                fix="name the version that should answer: `python run.py promote --version N`",
            )
        changed = processes.change_plan(use_case, workspace, lambda _: plan_transforms.renew(before), is_rollback=True)
        record_change(changed, "traffic", "rolled back")
        if changed.before.champion.bundle != changed.after.champion.bundle:
            _follow_in_registries(use_case, changed.after, stack)
    headline = f"Rolled back: {plan_transforms.describe_plan(changed.after)}."
    return CommandResult(headline, change_facts(changed), [run_py("status")])


def _follow_in_registries(use_case: UseCase, plan: TrafficPlan, stack: str | None) -> None:
    zenml_client()
    from steps.shared.model_versions import promote_version

    champion = plan.champion
    try:
        with stack_for_one_run(stack):
            promote_version(use_case.name, int(champion.version), bundle_artifact(Bundle.open(champion.bundle)))
    except (NoriaError, ValueError) as error:
        progress.warn(f"version {champion.version} answers, but the registries do not say so: {error}")
