"""Changes of shares and decision policies over HTTP; on the service's own machine, `run.py traffic` makes them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from noria.predictions.ids import new_id
from noria.predictions.spool.events import AuditEvent
from noria.serving.http_errors import HTTPError, not_json
from noria.system.errors import NoriaError
from noria.traffic import plan_history
from noria.traffic.activation import TrafficPlan, plan_lock, read_plan, write_plan
from noria.traffic.plan_transforms import describe_plan, drop_unused, with_shares
from noria.traffic.policy_change import with_changed_policy
from service.prediction.loaded_models import BUILT_IN, LoadedModels
from service.prediction.predict import record
from service.runtime import Runtime

Body = TypeVar("Body", bound=msgspec.Struct)


class SharesRequest(msgspec.Struct, forbid_unknown_fields=True):
    """PUT /traffic: variant → share; the champion takes the rest unless it is named."""

    shares: dict[str, float]


class PolicyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """PUT /policy: changed keys of a variant's decision policy."""

    policy: dict[str, float]
    variant: str = "champion"


def decode_body(kind: type[Body], body: bytes) -> Body:
    """Decode the body.

    Raises:
        HTTPError: it is not JSON (400), or not a `kind` (422).
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise HTTPError(
            422, str(error), code="request.shape_invalid", fix="see /openapi.json for what the request should look like"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(error, body) from error


def traffic(active: LoadedModels) -> dict[str, Any]:
    """The variants with their shares, as loaded by this worker."""
    plan = active.plan
    canary = None if plan is None or plan.canary is None else plan.canary.model_dump(mode="json")
    return {"variants": [active.variant(place) for place in range(len(active.predictors))], "canary": canary}


def change_shares(runtime: Runtime, change: SharesRequest) -> dict[str, Any]:
    """Change the shares; all workers follow within a second.

    Raises:
        HTTPError: the change does not fit the current plan; nothing has changed.
    """
    return _change(runtime, "traffic", lambda plan, _: drop_unused(with_shares(plan, change.shares)))


def change_policy(runtime: Runtime, change: PolicyRequest) -> dict[str, Any]:
    """Change a decision policy, under a new policy version; all workers follow within a second.

    Raises:
        HTTPError: the change does not fit the variant; nothing has changed.
    """
    by_name = {predictor.name: predictor for predictor in runtime.active.predictors}

    def make(plan: TrafficPlan, folder: Path) -> TrafficPlan:
        manifest = by_name.get(change.variant, runtime.active.champion).manifest
        return with_changed_policy(plan, change.variant, change.policy, folder, manifest)

    return _change(runtime, "policy", make)


def _change(runtime: Runtime, kind: str, make: Callable[[TrafficPlan, Path], TrafficPlan]) -> dict[str, Any]:
    folder = runtime.settings.service_dir
    if runtime.settings.is_fixed:
        raise HTTPError(
            409,
            "the traffic plan is part of this service's image",
            code="traffic.fixed_in_image",
            fix="build a new image with `run.py traffic`",
        )
    if folder is None:
        raise HTTPError(
            409,
            "this service answers with what it was built with",
            code="traffic.not_managed",
            fix="start it with NORIA_SERVICE_DIR",
        )
    try:
        with plan_lock(folder):
            current = read_plan(folder) or runtime.active.plan
            before = current or TrafficPlan.of(BUILT_IN, runtime.active.champion.version)
            after = make(before, folder)
            champion, detail = after.champion, f"by request: {describe_plan(after)}; before: {describe_plan(before)}"
            # first: if the event cannot be recorded, nothing changes
            record(runtime.spool, AuditEvent(new_id(), time.time(), kind, champion.name, champion.version, detail))
            write_plan(folder, after)
            if after.variants != before.variants:
                plan_history.remember_plan(folder, before)
    except NoriaError as error:
        raise HTTPError(422, error.what, code=error.code, fix=error.fix) from error
    except ValueError as error:  # shares that make no valid plan
        raise HTTPError(
            422, "these shares make no valid plan", code="traffic.shares_invalid", fix="shares are numbers from 0 to 1"
        ) from error
    return {"serial": after.plan_id, "now": describe_plan(after), "before": describe_plan(before)}
