"""`promote`, `rollback` and `traffic`: who answers is changed while the service runs, and the registries follow."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.commands.traffic_summary import describe_traffic
from app.environment import zenml_client
from app.serving import backend
from app.serving.backend import place_of
from app.stacks.stacks import service_kind, stack_for_one_run
from noria import deployment as processes
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment import Deployment, PlanChange, VariantSpec
from noria.deployment.audit import recent_changes, record_change
from noria.deployment.container_command import require_fast_form
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic import plan_history, plan_transforms
from noria.traffic.activation import TrafficPlan


@dataclass(frozen=True)
class Turned:
    """The outcome of a command that changes who answers."""

    headline: str
    facts: list[tuple[str, object]]
    is_live: bool = True
    """Whether a running service was changed."""
    goes_back: bool = True
    """Whether `rollback` takes it back."""


def promote(use_case: UseCase, version: str | None, stack: str | None) -> Turned:
    """Make a version the champion, in the registries and in the service, if one runs.

    Raises:
        NoriaError: there is no such version, or the service cannot answer with it; then nothing has changed.
    """
    workspace = Workspace(use_case.name)
    service = service_kind(stack)
    with _registries(workspace, stack):
        from steps.shared.model_versions import find_bundle, promote_version

        server = _running(workspace) if service in ("process", "container") else None
        order = None if server is None else processes.current_plan(workspace, server)
        bundle = find_bundle(use_case.name, version or _next_champion(use_case, order))
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
            promote_version(use_case.name, int(number), _artifact(bundle))
    if changed is None:
        how = "no service runs here" if service in ("process", "container") else "`deploy` builds its image"
        return Turned(f"Version {number} ({kind}) is the champion; {how}.", [("version", number)], is_live=False)
    record_change(changed, "traffic", f"promoted version {number}")
    return Turned(f"Version {number} ({kind}) is the champion and answers.", _facts(changed))


def rollback(use_case: UseCase, stack: str | None) -> Turned:
    """Put back what answered before the last change; the registries follow if it was another champion.

    Raises:
        NoriaError: no service runs, there is nothing to take back, or it cannot be put back.
    """
    workspace, place = Workspace(use_case.name), place_of(stack)
    if place is not None:
        with exclusive("deploy", workspace):
            return Turned(*backend.required(place).roll_back())
    with exclusive("deploy", workspace):
        standing = processes.current_plan(workspace, processes.running_server(workspace))
        before = plan_history.last_other(workspace.service, standing)
        if before is None:
            raise NoriaError(
                "there is nothing to take back: nothing has changed since the service was first deployed",
                where=str(workspace.service),
                fix="name the version that should answer: `python run.py promote --version N`",
            )
        changed = processes.change_plan(use_case, workspace, lambda _: plan_transforms.renew(before), is_back=True)
        record_change(changed, "traffic", "rolled back")
        if changed.before.champion.bundle != changed.after.champion.bundle:
            _follow_in_registries(use_case, changed.after, stack)
    return Turned(f"Rolled back: {plan_transforms.describe_plan(changed.after)}.", _facts(changed))


def show(use_case: UseCase, stack: str | None = None, url: str | None = None) -> Turned:
    """Who answers now.

    Raises:
        NoriaError: no service runs, or the prediction store cannot be read.
    """
    workspace, place = Workspace(use_case.name), place_of(stack, url)
    if place is not None:
        headline, facts = backend.show(place, use_case.name)
        return Turned(f"{use_case.name}: {headline}", facts)
    server = processes.running_server(workspace)
    order = processes.current_plan(workspace, server)
    facts = describe_traffic(processes.service_status(workspace))
    facts += [("changed", change) for change in recent_changes(workspace.predictions_url)]
    return Turned(f"{use_case.name}: {plan_transforms.describe_plan(order)}.", facts)


def _next_champion(use_case: UseCase, order: TrafficPlan | None) -> str:
    """The version that is promoted if none is named: the challenger that answers, or else the newest one."""
    from steps.shared.model_versions import newest_challenger

    rivals = [] if order is None else [each for each in order.variants[1:] if not _is_rules(Bundle.open(each.bundle))]
    if order is not None and order.canary is not None:
        rivals = [each for each in rivals if each.name == order.canary.variant]
    versions = sorted({each.version for each in rivals})
    if len(versions) > 1:
        raise NoriaError(f"several challengers answer: versions {', '.join(versions)}", fix="name one with --version N")
    return versions[0] if versions else str(newest_challenger(use_case.name, above_champion=True).number)


def _follow_in_registries(use_case: UseCase, order: TrafficPlan, stack: str | None) -> None:
    zenml_client()
    from steps.shared.model_versions import promote_version

    champion = order.champion
    try:
        with stack_for_one_run(stack):
            promote_version(use_case.name, int(champion.version), _artifact(Bundle.open(champion.bundle)))
    except (NoriaError, ValueError) as error:
        progress.warn(f"version {champion.version} answers, but the registries do not say so: {error}")


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
            processes.change_plan(use_case, workspace, lambda _: plan_transforms.renew(changed.before), is_back=True)
        raise


def _running(workspace: Workspace) -> Deployment | None:
    server = processes.state(workspace)
    return server if server is not None and server.ready else None


def _is_rules(bundle: Bundle) -> bool:
    return bundle.manifest.kind == "rules"


def _artifact(bundle: Bundle) -> str:
    return "rules" if _is_rules(bundle) else "challenger"


def _facts(changed: PlanChange) -> list[tuple[str, object]]:
    return [
        ("before", plan_transforms.describe_plan(changed.before)),
        ("now", plan_transforms.describe_plan(changed.after)),
        ("service", changed.deployment.url),
    ]
