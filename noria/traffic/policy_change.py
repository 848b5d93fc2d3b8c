"""Changes of the decision policy of one variant."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from noria.config.migration import with_new_names
from noria.system.errors import NoriaError
from noria.traffic.activation import TrafficPlan
from noria.traffic.plan_transforms import with_policy
from noria.traffic.policy_versions import policy_version

if TYPE_CHECKING:
    from noria.bundle import Manifest

KEYS: dict[Literal["binary", "multiclass", "regression"], tuple[str, ...]] = {
    "binary": ("threshold", "review_margin"),
    "multiclass": ("review_below",),
    "regression": ("act_from",),
}
"""The keys of a decision policy, by task."""


def with_changed_policy(
    plan: TrafficPlan,
    name: str,
    changes: Mapping[str, float],
    folder: Path,
    manifest: "Manifest",
    *,
    shown: Callable[[str], str] = "`{}`".format,
) -> TrafficPlan:
    """The plan with a changed policy for the variant `name`, under its own policy version.

    Args:
        plan: the current plan.
        name: the variant.
        changes: keys of its policy → values; old names of keys are taken too.
        folder: the service folder, which keeps the policies' versions.
        manifest: of its model.
        shown: formats a key as the user wrote it.

    Raises:
        NoriaError: no such variant, a key that does not apply to this task, or a value that is not a probability.
    """
    variant = plan.find(name)
    if variant is None:
        raise NoriaError(
            f"no variant `{name[:64]}` answers",
            code="traffic.variant_unknown",
            fix=f"name one of {', '.join(each.name for each in plan.variants)}",
        )
    changes = with_new_names("decision", changes)
    keys = KEYS[manifest.task]
    stray = [key for key in changes if key not in keys]
    if stray:
        raise NoriaError(
            f"{shown(stray[0][:64])} says nothing about a {manifest.task} model",
            code="traffic.policy_key_unknown",
            fix=f"its decisions follow {' and '.join(map(shown, keys))}",
        )
    if manifest.kind == "rules" and manifest.task != "regression":
        raise NoriaError(
            "written rules decide as they are written",
            code="traffic.policy_of_rules_fixed",
            fix="change them in the use case and train",
        )
    for key, value in changes.items():
        if key != "act_from" and not 0 <= value <= 1:
            raise NoriaError(
                f"{shown(key)} {value:g} is no probability",
                code="traffic.policy_value_invalid",
                fix="give a number from 0 to 1",
            )
    own = manifest.policy
    policy = (variant.policy or own).model_copy(update=changes)
    version = policy_version(folder, variant.bundle.name, policy, own)
    return with_policy(plan, name, None if policy == own else policy, version)
