"""Changes of the plan of a running server: no restart, no failed request, and restored on failure."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from noria.bundle import Bundle
from noria.client import Client
from noria.config import UseCase
from noria.deployment.bento_code import bundle_of
from noria.deployment.container_command import require_fast_form
from noria.deployment.deployment_state import Deployment, read_state, save_state
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
    """A completed change."""

    deployment: Deployment
    before: TrafficPlan
    after: TrafficPlan


def running_server(workspace: Workspace) -> Deployment:
    """The running server.

    Raises:
        NoriaError: there is none.
    """
    deployment = read_state(workspace)
    if deployment is None or not deployment.ready:
        raise NoriaError(
            f"no service of `{workspace.use_case}` is running on this machine",
            code="deployment.not_running",
            fix="start it first: `python run.py deploy`; one elsewhere is found by its --stack",
        )
    return deployment


def current_plan(workspace: Workspace, deployment: Deployment) -> TrafficPlan:
    """The plan that the server follows."""
    plan = activation.read_plan(workspace.service)
    return plan or TrafficPlan.of(bundle_of(deployment.bento), deployment.version)


def change_plan(
    use_case: UseCase, workspace: Workspace, make: Callable[[TrafficPlan], TrafficPlan], *, is_rollback: bool = False
) -> PlanChange:
    """Let the server follow another plan, and smoke-test the variants that changed.

    Args:
        use_case: its `serving.start_timeout_s` limits the duration.
        workspace: where the server is.
        make: from the current plan to the new one; it is called while the plan is locked.
        is_rollback: the last change is rolled back, so it is removed from the history.

    Raises:
        NoriaError: no server runs, `make` raises, a worker cannot follow or a smoke test fails; then the server
            continues as before.
    """
    with exclusive("serve", workspace):
        return follow_plan(
            workspace, running_server(workspace), make, {}, use_case.serving.start_timeout_s, is_rollback=is_rollback
        )


def follow_plan(
    workspace: Workspace,
    deployment: Deployment,
    make: Callable[[TrafficPlan], TrafficPlan],
    bundles: Mapping[str, Bundle],
    timeout_s: float,
    *,
    is_rollback: bool = False,
) -> PlanChange:
    """`change_plan` without taking the lock; variants in `bundles` are tested even if they have not changed.

    Before anything changes, the server is asked with the tokens of this process, and every bundle that will be tested
    is loaded in it: what fails then has touched no request.

    Raises:
        NoriaError: as for `change_plan`; also where the server is a container, and a variant needs training libraries.
    """
    _require_access(deployment)
    with activation.plan_lock(workspace.service):
        before = current_plan(workspace, deployment)
        after = make(before)
        if deployment.settings.image:
            require_fast_form([Bundle.open(variant.bundle) for variant in after.variants])
        changed_variants = _variants_to_test(before, after, bundles)
        loaded = {each.name: bundles.get(each.name) or Bundle.load(each.bundle) for each in changed_variants}
        activation.write_plan(workspace.service, after)
    try:
        changed = deployment.model_copy(update={"version": after.champion.version, "rolled_at": datetime.now(UTC)})
        wait_ready(workspace, changed, timeout_s=timeout_s)
        for variant in changed_variants:
            smoke_test(changed, loaded[variant.name], variant)
        if is_rollback:
            plan_history.return_to(workspace.service, after)
        elif after.variants != before.variants:
            plan_history.remember_plan(workspace.service, before)
        return PlanChange(save_state(workspace, changed), before, after)
    except BaseException:
        _restore_plan(workspace, deployment, before, timeout_s)
        raise


def _require_access(deployment: Deployment) -> None:
    """Check that the server answers to the tokens of this process, as the smoke tests will need it.

    Raises:
        NoriaError: it does not.
    """
    with Client.with_tokens(deployment.url) as client:
        client.model()


def _variants_to_test(before: TrafficPlan, after: TrafficPlan, named: Container[str]) -> list[PlannedVariant]:
    """The named variants, and those whose answers may differ from before."""
    known = {(each.name, each.bundle, each.policy_version) for each in before.variants}
    return [
        each
        for each in after.variants
        if each.name in named or (each.name, each.bundle, each.policy_version) not in known
    ]


def _restore_plan(workspace: Workspace, deployment: Deployment, before: TrafficPlan, timeout_s: float) -> None:
    activation.write_plan(workspace.service, plan_transforms.renew(before))
    save_state(workspace, deployment)
    try:
        wait_ready(workspace, deployment, timeout_s=timeout_s)
    except NoriaError as error:
        progress.warn(f"version {deployment.version} could not be restored: {error.what}")
    else:
        progress.warn(f"version {deployment.version} continues to answer")
