"""Changing shares and decision policies of a service that runs elsewhere; on its own machine `run.py traffic` does."""

import time
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from noria.predictions.ids import new_id
from noria.predictions.spool.events import Happened
from noria.serving.http_errors import Wrong, not_json
from noria.system.errors import NoriaError
from noria.traffic import plan_history
from noria.traffic.activation import Activation, activate, activation, changing
from noria.traffic.plan_transforms import in_words, settled, with_shares
from noria.traffic.policy_change import decided
from service.prediction.loaded_models import BUILT_IN, Active
from service.prediction.predict import keep
from service.runtime import Runtime

Body = TypeVar("Body", bound=msgspec.Struct)


class Shares(msgspec.Struct, forbid_unknown_fields=True):
    """PUT /traffic: variant → share; the champion takes the rest unless it is named."""

    shares: dict[str, float]


class Policy(msgspec.Struct, forbid_unknown_fields=True):
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
        raise Wrong(422, str(error), fix="see /openapi.json for what the request should look like") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(error) from error


def traffic(active: Active) -> dict[str, Any]:
    """Who answers what, as of this worker."""
    order = active.order
    canary = None if order is None or order.canary is None else order.canary.model_dump(mode="json")
    return {"variants": [active.variant(place) for place in range(len(active.predictors))], "canary": canary}


def change_shares(runtime: Runtime, wish: Shares) -> dict[str, Any]:
    """Let all workers share the cases out anew; they follow within a second.

    Raises:
        Wrong: the wish does not fit what answers; nothing has changed.
    """
    return _change(runtime, "traffic", lambda order, _: settled(with_shares(order, wish.shares)))


def change_policy(runtime: Runtime, wish: Policy) -> dict[str, Any]:
    """Let all workers decide by another policy, under a version of its own; they follow within a second.

    Raises:
        Wrong: the wish does not fit the variant; nothing has changed.
    """
    by_name = {predictor.name: predictor for predictor in runtime.active.predictors}

    def make(order: Activation, folder: Path) -> Activation:
        manifest = by_name.get(wish.variant, runtime.active.champion).manifest
        return decided(order, wish.variant, wish.policy, folder, manifest)

    return _change(runtime, "policy", make)


def _change(runtime: Runtime, kind: str, make: Any) -> dict[str, Any]:
    folder = runtime.settings.service_dir
    if runtime.settings.is_fixed:
        raise Wrong(409, "who answers is in this service's image", fix="build it anew, as `run.py traffic` does")
    if folder is None:
        raise Wrong(409, "this service answers with what it was built with", fix="start it with NORIA_SERVICE_DIR")
    try:
        with changing(folder):
            standing = activation(folder) or runtime.active.order
            before = standing or Activation.of(BUILT_IN, runtime.active.champion.version)
            after = make(before, folder)
            champion, said = after.champion, f"by request: {in_words(after)}; before: {in_words(before)}"
            # first: where the note cannot be kept, nothing changes
            keep(runtime.spool, Happened(new_id(), time.time(), kind, champion.name, champion.version, said))
            activate(folder, after)
            if after.variants != before.variants:
                plan_history.remember(folder, before)
    except NoriaError as error:
        raise Wrong(422, error.what, fix=error.fix) from error
    except ValueError as error:  # shares that fit no order
        raise Wrong(422, "these shares fit no order", fix="shares are numbers from 0 to 1") from error
    return {"serial": after.serial, "now": in_words(after), "before": in_words(before)}
