"""`promote`: another champion, in the registries and in the running service."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.commands.result import CommandResult, run_py
from app.commands.traffic_summary import change_facts
from app.environment import zenml_client
from app.stacks.stacks import service_kind, stack_for_one_run
from noria import deployment as processes
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment import Deployment, PlanChange, VariantSpec
from noria.deployment.audit import record_change
from noria.deployment.container_command import require_fast_form
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic import plan_transforms
from noria.traffic.activation import TrafficPlan


def promote(use_case: UseCase, version: str | None, stack: str | None) -> CommandResult:
    """Make a version the champion, in the registries and in the service, if one runs.

    Raises:
        NoriaError: there is no such version, or the service cannot answer with it; then nothing has changed.
    """
    workspace = Workspace(use_case.name)
    service = service_kind(stack)
    with _registries(workspace, stack):
        from steps.shared.model_versions import find_bundle, promote_version

        server = _running(workspace) if service in ("process", "container") else None
        plan = None if server is None else processes.current_plan(workspace, server)
        bundle = find_bundle(use_case.name, version or _next_champion(use_case, plan))
        number, kind = bundle.manifest.version, bundle.manifest.kind
        changed = None
        if server is None and service != "process":
            require_fast_form([bundle])
        if server is not None:
            champion = VariantSpec(bundle).variant(workspace)
            changed = processes.change_plan(
                use_case,
                workspace,
                lambda each: plan_transforms.drop_unused(plan_transforms.with_champion(each, champion)),
            )
        with _taken_back_on_error(use_case, workspace, changed):
            promote_version(use_case.name, int(number), bundle_artifact(bundle))
    if changed is None:
        how = "no service runs here" if service in ("process", "container") else "`deploy` builds its image"
        headline = f"Version {number} ({kind}) is the champion; {how}."
        return CommandResult(headline, [("version", number)], [run_py("deploy")])
    record_change(changed, "traffic", f"promoted version {number}")
    headline = f"Version {number} ({kind}) is the champion and answers."
    return CommandResult(headline, change_facts(changed), [run_py("rollback")])


def bundle_artifact(bundle: Bundle) -> str:
    """Which artifact of a model version a bundle is."""
    return "rules" if is_rules(bundle) else "challenger"


def is_rules(bundle: Bundle) -> bool:
    """Are these the rules of the use case?"""
    return bundle.manifest.kind == "rules"


def _next_champion(use_case: UseCase, plan: TrafficPlan | None) -> str:
    """The version that is promoted if none is named: the challenger that answers, or else the newest one."""
    from steps.shared.model_versions import newest_challenger

    rivals = [] if plan is None else [each for each in plan.variants[1:] if not is_rules(Bundle.open(each.bundle))]
    if plan is not None and plan.canary is not None:
        rivals = [each for each in rivals if each.name == plan.canary.variant]
    versions = sorted({each.version for each in rivals})
    if len(versions) > 1:
        raise NoriaError(f"several challengers answer: versions {', '.join(versions)}", fix="name one with --version N")
    return versions[0] if versions else str(newest_challenger(use_case.name, above_champion=True).number)


@contextmanager
def _registries(workspace: Workspace, stack: str | None) -> Iterator[None]:
    with exclusive("deploy", workspace):
        zenml_client()
        with stack_for_one_run(stack):
            yield


@contextmanager
def _taken_back_on_error(use_case: UseCase, workspace: Workspace, changed: PlanChange | None) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if changed is not None:
            progress.warn("the registries could not be changed, so the service goes back, too")
            processes.change_plan(
                use_case, workspace, lambda _: plan_transforms.renew(changed.before), is_rollback=True
            )
        raise


def _running(workspace: Workspace) -> Deployment | None:
    server = processes.read_state(workspace)
    return server if server is not None and server.ready else None
