"""Bringing bundles into service: a first start, a rollover without a failed request, or a restart."""

from collections.abc import Sequence
from pathlib import Path

from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment.bento_code import code_digest, source_of
from noria.deployment.bundle_cache import prune_cache
from noria.deployment.container_command import require_fast_form
from noria.deployment.deployment_state import Deployment, ServerSettings, state
from noria.deployment.plan_change import current_plan, follow_plan
from noria.deployment.server_process import start, stop_now
from noria.deployment.smoke_tests import smoke_test
from noria.deployment.variants import VariantSpec, plan_of
from noria.predictions import PredictionStore
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic import activation, plan_history
from noria.traffic.activation import TrafficPlan

_KEPT = 3


def start_or_roll(
    use_case: UseCase,
    workspace: Workspace,
    bento: Path,
    bundle: Bundle,
    lineup: Sequence[VariantSpec] = (),
    *,
    image: str = "",
) -> Deployment:
    """Let the server answer with `bundle`, or with a lineup of several, and prove it with smoke tests.

    No server: one is started. A server with the same code and settings: its workers take over the bundles one by
    one, without a failed request. Another code or other settings: the server is restarted. Whatever fails, Ctrl-C
    too, what was running before goes on.

    With `image` the server is a container of that image, and else a process.

    Raises:
        NoriaError: the server cannot start or take over the bundles, or fails a smoke test.
    """
    with exclusive("serve", workspace):
        settings = ServerSettings.of(use_case, workspace, image)
        timeout_s, roles = use_case.serving.start_timeout_s, lineup or [VariantSpec(bundle)]
        if image:
            require_fast_form([role.bundle for role in roles])
        PredictionStore(workspace.predictions_url).close()  # before anything that runs is touched
        before = state(workspace)
        if before is not None and not before.ready:  # whoever started it was killed
            stop_now(workspace)
            before = None
        if before is None:
            deployment = _first(workspace, settings, bento, roles, timeout_s)
        elif before.settings == settings and before.code == code_digest(source_of(bento)):
            deployment = _roll(workspace, before, roles, timeout_s)
        else:
            deployment = _restart(workspace, before, settings, bento, roles, timeout_s=timeout_s)
        _prune(workspace, deployment)
        return deployment


def _first(
    workspace: Workspace, settings: ServerSettings, bento: Path, roles: Sequence[VariantSpec], timeout_s: float
) -> Deployment:
    order = plan_of(workspace, roles)
    deployment = start(workspace, settings, bento, order=order, timeout_s=timeout_s)
    try:
        for role, variant in zip(roles, order.variants, strict=True):
            smoke_test(deployment, role.bundle, variant)
    except BaseException:
        stop_now(workspace)
        raise
    return deployment


def _roll(workspace: Workspace, before: Deployment, roles: Sequence[VariantSpec], timeout_s: float) -> Deployment:
    order = plan_of(workspace, roles)
    _tell_what_ends(current_plan(workspace, before), order)
    tested = {role.name: role.bundle for role in roles}
    return follow_plan(workspace, before, lambda _: order, tested, timeout_s).deployment


def _tell_what_ends(before: TrafficPlan, after: TrafficPlan) -> None:
    """What was changed while the service ran lasts until the next deployment."""
    if before.canary is not None:
        progress.warn(f"the canary `{before.canary.variant}` ends with this deployment")
    for variant in before.variants:
        if variant.policy is not None and after.find(variant.name) is not None:
            progress.warn(f"policy {variant.policy_version} of `{variant.name}` ends: its bundle's own takes its place")


def _restart(
    workspace: Workspace,
    before: Deployment,
    settings: ServerSettings,
    bento: Path,
    roles: Sequence[VariantSpec],
    *,
    timeout_s: float,
) -> Deployment:
    reason = "settings" if before.code == code_digest(source_of(bento)) else "code"
    progress.warn(f"the service's {reason} changed, so it is restarted: for some seconds nobody answers")
    order = current_plan(workspace, before)
    _tell_what_ends(order, plan_of(workspace, roles))
    stop_now(workspace)
    try:
        return _first(workspace, settings, bento, roles, timeout_s)
    except BaseException:
        progress.warn(f"that failed, so version {before.version} is started again")
        try:
            start(workspace, before.settings, before.bento, order=order, timeout_s=timeout_s)
        except NoriaError as error:
            progress.warn(f"version {before.version} could not be started again: {error.what}")
        raise


def _prune(workspace: Workspace, deployment: Deployment) -> None:
    """Remove all but the newest Bentos and copies of bundles, those in use, and those that may come back."""
    order = activation.read_plan(workspace.service)
    followed = [*plan_history.earlier_plans(workspace.service), *([order] if order is not None else [])]
    copies = {variant.bundle for each in followed for variant in each.variants}
    prune_cache(workspace.service / "bundles", copies, newest=_KEPT)
    prune_cache(deployment.bento.parent, {deployment.bento}, newest=_KEPT)
