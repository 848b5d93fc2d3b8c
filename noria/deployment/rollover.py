"""Bringing bundles into service: a first start, a rollover without a failed request, or a restart."""

from collections.abc import Sequence
from pathlib import Path

from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.serving import ServingConfig
from noria.deployment.bento_code import code_digest, source_of
from noria.deployment.bundle_cache import prune_cache
from noria.deployment.container_command import require_fast_form
from noria.deployment.deployment_state import Deployment, read_state
from noria.deployment.plan_change import current_plan, follow_plan
from noria.deployment.rehearsal import rehearse
from noria.deployment.server_process import environment_of, start, stop_now
from noria.deployment.server_settings import ServerSettings
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
    specs: Sequence[VariantSpec] = (),
    *,
    image: str = "",
) -> Deployment:
    """Serve `bundle`, or the variants in `specs`, and run smoke tests.

    Without a server, one is started. With the same code and settings, the workers of the running server load the
    bundles one by one, without a failed request. With other code or settings, the server is restarted, but only once a
    trial start has shown that it will start. If anything fails, including by Ctrl-C, the previous server continues, in
    the environment that it had.

    With `image` the server is a container of that image, otherwise a process.

    Raises:
        NoriaError: the server cannot start or load the bundles, or fails a smoke test.
    """
    with exclusive("serve", workspace):
        settings = ServerSettings.of(use_case, workspace, image)
        timeout_s, specs = use_case.serving.start_timeout_s, specs or [VariantSpec(bundle)]
        if image:
            require_fast_form([spec.bundle for spec in specs])
        PredictionStore(workspace.predictions_url).close()  # before the running server is touched
        before = read_state(workspace)
        if before is not None and not before.ready:  # the process that started it was killed
            stop_now(workspace)
            before = None
        if before is None:
            deployment = _start_first(workspace, settings, bento, specs, timeout_s)
        elif before.settings == settings and before.code == code_digest(source_of(bento)):
            deployment = _roll_over(workspace, before, specs, timeout_s)
        else:
            deployment = _restart(workspace, before, settings, bento, specs, timeout_s=timeout_s)
        _prune_caches(workspace, deployment)
        return deployment


def _start_first(
    workspace: Workspace, settings: ServerSettings, bento: Path, specs: Sequence[VariantSpec], timeout_s: float
) -> Deployment:
    plan = plan_of(workspace, specs)
    deployment = start(workspace, settings, bento, plan=plan, timeout_s=timeout_s)
    try:
        for spec, variant in zip(specs, plan.variants, strict=True):
            smoke_test(deployment, spec.bundle, variant)
    except BaseException:
        stop_now(workspace)
        raise
    return deployment


def _roll_over(workspace: Workspace, before: Deployment, specs: Sequence[VariantSpec], timeout_s: float) -> Deployment:
    plan = plan_of(workspace, specs)
    _warn_about_discarded_changes(current_plan(workspace, before), plan)
    tested = {spec.name: spec.bundle for spec in specs}
    return follow_plan(workspace, before, lambda _: plan, tested, timeout_s).deployment


def _warn_about_discarded_changes(before: TrafficPlan, after: TrafficPlan) -> None:
    """Canaries and changed policies last until the next deployment."""
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
    specs: Sequence[VariantSpec],
    *,
    timeout_s: float,
) -> Deployment:
    plan, new_plan = current_plan(workspace, before), plan_of(workspace, specs)
    try:
        rehearse(workspace, before, settings, bento, plan=new_plan, timeout_s=timeout_s)
    except BaseException:
        progress.warn(f"version {before.version} continues to answer")
        raise
    reason = "settings" if before.code == code_digest(source_of(bento)) else "code"
    progress.warn(f"the service's {reason} changed, so it is restarted: requests fail for some seconds")
    _warn_about_discarded_changes(plan, new_plan)
    environment = environment_of(before)
    stop_now(workspace)
    try:
        return _start_first(workspace, settings, bento, specs, timeout_s)
    except BaseException:
        progress.warn(f"that failed; version {before.version} is started again, with the environment that it had")
        try:
            patience_s = max(timeout_s, ServingConfig().start_timeout_s)
            start(workspace, before.settings, before.bento, plan=plan, timeout_s=patience_s, inherited=environment)
        except NoriaError as error:
            progress.warn(f"version {before.version} could not be started again: {error.what}")
        raise


def _prune_caches(workspace: Workspace, deployment: Deployment) -> None:
    """Remove all but the newest Bentos and copies of bundles, those in use, and those of earlier plans."""
    plan = activation.read_plan(workspace.service)
    plans = [*plan_history.earlier_plans(workspace.service), *([plan] if plan is not None else [])]
    copies = {variant.bundle for each in plans for variant in each.variants}
    prune_cache(workspace.service / "bundles", copies, newest=_KEPT)
    prune_cache(deployment.bento.parent, {deployment.bento}, newest=_KEPT)
