"""Changing shares and decision policies of a service that runs elsewhere; on its own machine `run.py traffic` does."""

import time
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
from service.prediction.predict import keep
from service.runtime import Runtime

Body = TypeVar("Body", bound=msgspec.Struct)


class SharesRequest(msgspec.Struct, forbid_unknown_fields=True):
    """PUT /traffic: variant → share; the champion takes the rest unless it is named."""

    shares: dict[str, float]


class PolicyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """PUT /policy: other keys of a variant's decision policy."""

    policy: dict[str, float]
    variant: str = "champion"


def read(kind: type[Body], body: bytes) -> Body:
    """The body as what it should be.

    Raises:
        Wrong: it is no JSON (400), or not that (422).
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise HTTPError(422, str(error), fix="see /openapi.json for what the request should look like") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(error) from error


def traffic(active: LoadedModels) -> dict[str, Any]:
    """Who answers what, as of this worker."""
    order = active.order
    canary = None if order is None or order.canary is None else order.canary.model_dump(mode="json")
    return {"variants": [active.variant(place) for place in range(len(active.predictors))], "canary": canary}


def change_shares(runtime: Runtime, wish: SharesRequest) -> dict[str, Any]:
    """Let all workers share the cases out anew; they follow within a second.

    Raises:
        Wrong: the wish does not fit what answers; nothing has changed.
    """
    return _change(runtime, "traffic", lambda order, _: drop_unused(with_shares(order, wish.shares)))


def change_policy(runtime: Runtime, wish: PolicyRequest) -> dict[str, Any]:
    """Let all workers decide by another policy, under a version of its own; they follow within a second.

    Raises:
        Wrong: the wish does not fit the variant; nothing has changed.
    """
    by_name = {predictor.name: predictor for predictor in runtime.active.predictors}

    def make(order: TrafficPlan, folder: Path) -> TrafficPlan:
        manifest = by_name.get(wish.variant, runtime.active.champion).manifest
        return with_changed_policy(order, wish.variant, wish.policy, folder, manifest)

    return _change(runtime, "policy", make)


def _change(runtime: Runtime, kind: str, make: Any) -> dict[str, Any]:
    folder = runtime.settings.service_dir
    if runtime.settings.is_fixed:
        raise HTTPError(409, "who answers is in this service's image", fix="build it anew, as `run.py traffic` does")
    if folder is None:
        raise HTTPError(409, "this service answers with what it was built with", fix="start it with NORIA_SERVICE_DIR")
    try:
        with plan_lock(folder):
            standing = read_plan(folder) or runtime.active.order
            before = standing or TrafficPlan.of(BUILT_IN, runtime.active.champion.version)
            after = make(before, folder)
            champion, said = after.champion, f"by request: {describe_plan(after)}; before: {describe_plan(before)}"
            # first: where the note cannot be kept, nothing changes
            keep(runtime.spool, AuditEvent(new_id(), time.time(), kind, champion.name, champion.version, said))
            write_plan(folder, after)
            if after.variants != before.variants:
                plan_history.remember_plan(folder, before)
    except NoriaError as error:
        raise HTTPError(422, error.what, fix=error.fix) from error
    except ValueError as error:  # shares that fit no order
        raise HTTPError(422, "these shares fit no order", fix="shares are numbers from 0 to 1") from error
    return {"serial": after.serial, "now": describe_plan(after), "before": describe_plan(before)}
