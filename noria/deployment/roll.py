"""Bringing a bundle into service: a first start, a rollover without a failed request, or a restart."""

import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

from noria import handover, progress
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment.code import bundle_of, code_digest, source_of
from noria.deployment.launch import start, stop_now, wait_ready
from noria.deployment.smoke import smoke_test
from noria.deployment.state import Deployment, Settings, save, state
from noria.errors import NoriaError
from noria.locks import only_one
from noria.predictions import PredictionStore
from noria.workspace import Workspace

_KEPT = 3


def start_or_roll(use_case: UseCase, workspace: Workspace, bento: Path, bundle: Bundle) -> Deployment:
    """Let the server answer with `bundle`, and prove it with a smoke test.

    No server: one is started. A server with the same code and settings: its workers take over the bundle one by one,
    without a failed request. Another code or other settings: the server is restarted. Whatever fails, Ctrl-C too,
    what was running before goes on.

    Raises:
        NoriaError: the server cannot start or take over the bundle, or fails the smoke test.
    """
    with only_one("serve", workspace):
        settings = Settings.of(use_case, workspace)
        timeout_s = use_case.serving.start_timeout_s
        PredictionStore(settings.predictions_url).close()  # before anything that runs is touched
        running = state(workspace)
        if running is not None and not running.ready:  # whoever started it was killed
            stop_now(workspace)
            running = None
        if running is None:
            deployment = _first(workspace, settings, bento, bundle, timeout_s)
        elif running.settings == settings and running.code == code_digest(source_of(bento)):
            deployment = _roll(workspace, running, bundle, timeout_s)
        else:
            deployment = _restart(workspace, running, settings, bento, bundle, timeout_s=timeout_s)
        _prune(workspace, deployment)
        return deployment


def _first(workspace: Workspace, settings: Settings, bento: Path, bundle: Bundle, timeout_s: float) -> Deployment:
    deployment = start(workspace, settings, bento, version=bundle.manifest.version, timeout_s=timeout_s)
    try:
        smoke_test(deployment, bundle)
    except BaseException:
        stop_now(workspace)
        raise
    return deployment


def _roll(workspace: Workspace, running: Deployment, bundle: Bundle, timeout_s: float) -> Deployment:
    before = handover.activation(workspace.service) or _built_in(running)
    order = _ordered(workspace, bundle)
    rolled = running.model_copy(update={"version": order.champion.version, "rolled_at": datetime.now(UTC)})
    try:
        handover.activate(workspace.service, order)
        wait_ready(workspace, rolled, serial=order.serial, timeout_s=timeout_s)
        smoke_test(rolled, bundle)
        return save(workspace, rolled)
    except BaseException:
        _put_back(workspace, running, before, timeout_s)
        raise


def _put_back(workspace: Workspace, running: Deployment, before: handover.Activation, timeout_s: float) -> None:
    again = handover.Activation(variants=before.variants, canary=before.canary)
    handover.activate(workspace.service, again)
    save(workspace, running)
    try:
        wait_ready(workspace, running, serial=again.serial, timeout_s=timeout_s)
    except NoriaError as error:
        progress.warn(f"version {running.version} could not be put back: {error.what}")
    else:
        progress.warn(f"version {running.version} goes on answering")


def _restart(
    workspace: Workspace, running: Deployment, settings: Settings, bento: Path, bundle: Bundle, *, timeout_s: float
) -> Deployment:
    reason = "settings" if running.settings != settings else "code"
    progress.warn(f"the service's {reason} changed, so it is restarted: for some seconds nobody answers")
    order = handover.activation(workspace.service)
    stop_now(workspace)
    try:
        return _first(workspace, settings, bento, bundle, timeout_s)
    except BaseException:
        progress.warn(f"that failed, so version {running.version} is started again")
        try:
            start(workspace, running.settings, running.bento, version=running.version, order=order, timeout_s=timeout_s)
        except NoriaError as error:
            progress.warn(f"version {running.version} could not be started again: {error.what}")
        raise


def _built_in(running: Deployment) -> handover.Activation:
    return handover.Activation.of(bundle_of(running.bento), running.version)


def _ordered(workspace: Workspace, bundle: Bundle) -> handover.Activation:
    """An order for a copy of the bundle: what the server reads must not vanish with a folder of someone else's."""
    version = bundle.manifest.version
    target = workspace.service / "bundles" / f"{version}-{uuid.uuid4().hex[:8]}"
    try:
        shutil.copytree(bundle.folder, target)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise NoriaError(
            f"the bundle cannot be copied: {error}", where=str(target), fix="free some space and deploy again"
        ) from error
    return handover.Activation.of(target, version)


def _prune(workspace: Workspace, deployment: Deployment) -> None:
    """Remove all but the newest Bentos and copies of bundles, and those in use."""
    order = handover.activation(workspace.service)
    in_use = {deployment.bento, *(variant.bundle for variant in (order.variants if order is not None else []))}
    for folder in (workspace.service / "bundles", deployment.bento.parent):
        versions = sorted((path for path in folder.glob("*") if path.is_dir()), key=lambda path: path.stat().st_mtime)
        for path in versions[:-_KEPT]:
            if path not in in_use:
                shutil.rmtree(path, ignore_errors=True)
