"""The contents of an image for a traffic plan: one bundle, or several with the plan."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from noria.bundle.seal import bundle_digest
from noria.system.files import write_text
from noria.traffic.activation import PLAN_FILE, TrafficPlan

_DIGITS = 12


@contextmanager
def image_contents(plan: TrafficPlan) -> Iterator[Path]:
    """A folder for the image, while the block runs. The caller has verified the bundles."""
    if _is_single(plan):
        yield plan.champion.bundle
        return
    with TemporaryDirectory(prefix="noria-image-") as name:
        folder = Path(name)
        inside = []
        for variant in plan.variants:
            place = Path(f"{variant.version}-{bundle_digest(variant.bundle)[:_DIGITS]}")
            if not (folder / place).exists():  # two variants may share a model
                shutil.copytree(variant.bundle, folder / place)
            inside.append(variant.model_copy(update={"bundle": place}))
        portable = plan.model_copy(update={"variants": inside, "plan_id": content_digest(plan)})
        write_text(folder / PLAN_FILE, portable.model_dump_json(indent=1))
        yield folder


def content_digest(plan: TrafficPlan) -> str:
    """A digest of the plan, the same for the same bundles and shares; each start of a canary has another one."""
    if _is_single(plan):
        return bundle_digest(plan.champion.bundle)[:_DIGITS]
    variants = [
        each.model_dump(mode="json", exclude={"bundle"}) | {"bundle": bundle_digest(each.bundle)}
        for each in plan.variants
    ]
    canary = None if plan.canary is None else plan.canary.model_dump(mode="json")
    return hashlib.sha256(json.dumps([variants, canary], sort_keys=True).encode()).hexdigest()[:_DIGITS]


def _is_single(plan: TrafficPlan) -> bool:
    return len(plan.variants) == 1 and plan.champion.policy is None
