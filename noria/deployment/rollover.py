"""Bringing bundles into service: a first start, a rollover without a failed request, or a restart."""

from collections.abc import Sequence
from pathlib import Path

from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment.bento_code import code_digest, source_of
from noria.deployment.bundle_cache import prune
from noria.deployment.container_command import refuse_slow
from noria.deployment.deployment_state import Deployment, Settings, state
from noria.deployment.plan_change import follow, standing
from noria.deployment.server_process import start, stop_now
from noria.deployment.smoke_tests import smoke_test
from noria.deployment.variants import Role, order_of
from noria.predictions import PredictionStore
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import only_one
from noria.system.workspace import Workspace
from noria.traffic import activation, plan_history
from noria.traffic.activation import Activation

_KEPT = 3


def start_or_roll(
    use_case: UseCase,
    workspace: Workspace,
    bento: Path,
    bundle: Bundle,
    lineup: Sequence[Role] = (),
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
    with only_one("serve", workspace):
        settings = Settings.of(use_case, workspace, image)
        timeout_s, roles = use_case.serving.start_timeout_s, lineup or [Role(bundle)]
        if image:
            refuse_slow([role.bundle for role in roles])
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
    workspace: Workspace, settings: Settings, bento: Path, roles: Sequence[Role], timeout_s: float
) -> Deployment:
    order = order_of(workspace, roles)
    deployment = start(workspace, settings, bento, order=order, timeout_s=timeout_s)
    try:
        for role, variant in zip(roles, order.variants, strict=True):
            smoke_test(deployment, role.bundle, variant)
    except BaseException:
        stop_now(workspace)
        raise
    return deployment


def _roll(workspace: Workspace, before: Deployment, roles: Sequence[Role], timeout_s: float) -> Deployment:
    order = order_of(workspace, roles)
    _tell_what_ends(standing(workspace, before), order)
    tested = {role.name: role.bundle for role in roles}
    return follow(workspace, before, lambda _: order, tested, timeout_s).deployment


def _tell_what_ends(before: Activation, after: Activation) -> None:
    """What was changed while the service ran lasts until the next deployment."""
    if before.canary is not None:
        progress.warn(f"the canary `{before.canary.variant}` ends with this deployment")
    for variant in before.variants:
        if variant.policy is not None and after.find(variant.name) is not None:
            progress.warn(f"policy {variant.policy_version} of `{variant.name}` ends: its bundle's own takes its place")


def _restart(
    workspace: Workspace,
    before: Deployment,
    settings: Settings,
    bento: Path,
    roles: Sequence[Role],
    *,
    timeout_s: float,
) -> Deployment:
    reason = "settings" if before.code == code_digest(source_of(bento)) else "code"
    progress.warn(f"the service's {reason} changed, so it is restarted: for some seconds nobody answers")
    order = standing(workspace, before)
    _tell_what_ends(order, order_of(workspace, roles))
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
    order = activation.activation(workspace.service)
    followed = [*plan_history.earlier(workspace.service), *([order] if order is not None else [])]
    copies = {variant.bundle for each in followed for variant in each.variants}
    prune(workspace.service / "bundles", copies, newest=_KEPT)
    prune(deployment.bento.parent, {deployment.bento}, newest=_KEPT)
