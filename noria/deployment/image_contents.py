"""What an image holds of an order: one model as it is, or several with the order that says their parts."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from noria.bundle.seal import bundle_digest
from noria.system.files import write_text
from noria.traffic.activation import ORDER, TrafficPlan

_DIGITS = 12


@contextmanager
def image_contents(order: TrafficPlan) -> Iterator[Path]:
    """A folder for the image while the block runs; whoever asks has looked whether the bundles are whole."""
    if _is_single(order):
        yield order.champion.bundle
        return
    with TemporaryDirectory(prefix="noria-order-") as name:
        folder = Path(name)
        inside = []
        for variant in order.variants:
            place = Path(f"{variant.version}-{bundle_digest(variant.bundle)[:_DIGITS]}")
            if not (folder / place).exists():  # two variants may share a model
                shutil.copytree(variant.bundle, folder / place)
            inside.append(variant.model_copy(update={"bundle": place}))
        told = order.model_copy(update={"variants": inside, "serial": content_digest(order)})
        write_text(folder / ORDER, told.model_dump_json(indent=1))
        yield folder


def content_digest(order: TrafficPlan) -> str:
    """Names who answers what: the same for the same models and shares; each start of a canary is another one."""
    if _is_single(order):
        return bundle_digest(order.champion.bundle)[:_DIGITS]
    told = [
        each.model_dump(mode="json", exclude={"bundle"}) | {"bundle": bundle_digest(each.bundle)}
        for each in order.variants
    ]
    canary = None if order.canary is None else order.canary.model_dump(mode="json")
    return hashlib.sha256(json.dumps([told, canary], sort_keys=True).encode()).hexdigest()[:_DIGITS]


def _is_single(order: TrafficPlan) -> bool:
    return len(order.variants) == 1 and order.champion.policy is None
