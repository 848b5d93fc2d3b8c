"""Changing what a running server answers with: no restart, no failed request, and back again if it fails."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment.bento_code import bundle_of
from noria.deployment.container_command import require_fast_form
from noria.deployment.deployment_state import Deployment, save_state, state
from noria.deployment.server_process import wait_ready
from noria.deployment.smoke_tests import smoke_test
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic import activation, plan_history, plan_transforms
from noria.traffic.activation import PlannedVariant, TrafficPlan


@dataclass(frozen=True)
class PlanChange:
    """A change that stands."""

    deployment: Deployment
    before: TrafficPlan
    after: TrafficPlan


def running_server(workspace: Workspace) -> Deployment:
    """The server that runs.

    Raises:
        NoriaError: none does.
    """
    deployment = state(workspace)
    if deployment is None or not deployment.ready:
        raise NoriaError(
            f"no service of `{workspace.use_case}` is running on this machine",
            fix="start it first: `python run.py deploy` with the same --config; one elsewhere is found by its --stack",
        )
    return deployment


def current_plan(workspace: Workspace, deployment: Deployment) -> TrafficPlan:
    """The order that the server follows."""
    order = activation.read_plan(workspace.service)
    return order or TrafficPlan.of(bundle_of(deployment.bento), deployment.version)


def change_plan(
    use_case: UseCase, workspace: Workspace, make: Callable[[TrafficPlan], TrafficPlan], *, is_back: bool = False
) -> PlanChange:
    """Let the server follow another order, and prove with a smoke test that what is new in it answers.

    Args:
        use_case: says how long it may take.
        workspace: where the server is.
        make: from the order that stands to the one that should; it is called while nobody else changes the order.
        is_back: the last change is taken back, so what it had changed is forgotten.

    Raises:
        NoriaError: no server runs, `make` refuses, a worker cannot follow or a smoke test fails; then the server
            goes on as before.
    """
    with exclusive("serve", workspace):
        return follow_plan(
            workspace, running_server(workspace), make, {}, use_case.serving.start_timeout_s, is_back=is_back
        )


def follow_plan(
    workspace: Workspace,
    deployment: Deployment,
    make: Callable[[TrafficPlan], TrafficPlan],
    bundles: Mapping[str, Bundle],
    timeout_s: float,
    *,
    is_back: bool = False,
) -> PlanChange:
    """`change` for whoever holds the lock; variants named in `bundles` are tested even if they answer already.

    Raises:
        NoriaError: as `change` does; also where the server is a container, and a variant needs training libraries.
    """
    with activation.plan_lock(workspace.service):
        before = current_plan(workspace, deployment)
        after = make(before)
        if deployment.settings.image:
            require_fast_form([Bundle.open(variant.bundle) for variant in after.variants])
        activation.write_plan(workspace.service, after)
    try:
        changed = deployment.model_copy(update={"version": after.champion.version, "rolled_at": datetime.now(UTC)})
        wait_ready(workspace, changed, timeout_s=timeout_s)
        for variant in _to_test(before, after, bundles):
            smoke_test(changed, bundles.get(variant.name) or Bundle.load(variant.bundle), variant)
        if is_back:
            plan_history.return_to(workspace.service, after)
        elif after.variants != before.variants:
            plan_history.remember_plan(workspace.service, before)
        return PlanChange(save_state(workspace, changed), before, after)
    except BaseException:
        _put_back(workspace, deployment, before, timeout_s)
        raise


def _to_test(before: TrafficPlan, after: TrafficPlan, named: Container[str]) -> list[PlannedVariant]:
    """The variants that are named, and those whose answers differ from before."""
    known = {(each.name, each.bundle, each.policy_version) for each in before.variants}
    return [
        each
        for each in after.variants
        if each.name in named or (each.name, each.bundle, each.policy_version) not in known
    ]


def _put_back(workspace: Workspace, deployment: Deployment, before: TrafficPlan, timeout_s: float) -> None:
    activation.write_plan(workspace.service, plan_transforms.renew(before))
    save_state(workspace, deployment)
    try:
        wait_ready(workspace, deployment, timeout_s=timeout_s)
    except NoriaError as error:
        progress.warn(f"version {deployment.version} could not be put back: {error.what}")
    else:
        progress.warn(f"version {deployment.version} goes on answering")
