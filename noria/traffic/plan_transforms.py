"""New traffic plans derived from existing ones: shares, a shadow, a canary, a promotion, a policy. Nothing is written.

A variant may be left without a share; `drop_unused` removes it at the end.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from noria.models.decision_policy import DecisionPolicy
from noria.system.errors import NoriaError
from noria.traffic.activation import CanaryState, PlannedVariant, TrafficPlan


def drop_unused(plan: TrafficPlan) -> TrafficPlan:
    """Remove the variants that neither have a share nor are shadows; the champion always stays."""
    kept = [plan.champion, *(each for each in plan.variants[1:] if each.share > 0 or each.shadow)]
    return TrafficPlan(variants=kept, canary=plan.canary)


def with_variant(plan: TrafficPlan, variant: PlannedVariant) -> TrafficPlan:
    """Add a variant, without a share until it gets one."""
    return TrafficPlan(variants=[*plan.variants, variant], canary=plan.canary)


def with_shadow(plan: TrafficPlan, name: str) -> TrafficPlan:
    """Turn a challenger into a shadow: it predicts every case but answers none; the champion takes its share."""
    shadow = _require_challenger(plan, name).model_copy(update={"share": 0.0, "shadow": True})
    canary = plan.canary if plan.canary is not None and plan.canary.variant != name else None
    return TrafficPlan(variants=_with_champion_remainder(_with_replaced(plan, shadow)), canary=canary)


def with_shares(plan: TrafficPlan, shares: Mapping[str, float]) -> TrafficPlan:
    """Set shares; the champion takes the rest unless it is named. A canary that is named stops being a canary.

    Raises:
        NoriaError: a name is unknown, a share is not between 0 and 1, or the shares do not add up to 1.
    """
    for name, share in shares.items():
        if plan.find(name) is None:
            raise NoriaError(
                f"no variant `{name}` answers", code="traffic.variant_unknown", fix=f"name one of {_names(plan)}"
            )
        if not 0 <= share <= 1:
            raise NoriaError(
                f"a share of {share:g} for `{name}`", code="traffic.share_invalid", fix="shares go from 0 to 1"
            )
    named = [
        each.model_copy(update={"share": shares[each.name], "shadow": False}) if each.name in shares else each
        for each in plan.variants
    ]
    canary = None if plan.canary is not None and plan.canary.variant in shares else plan.canary
    if plan.champion.name not in shares:
        return TrafficPlan(variants=_with_champion_remainder(named), canary=canary)
    total = sum(each.share for each in named)
    if abs(total - 1) > 1e-6:
        raise NoriaError(
            f"the shares add up to {total:g}, not to 1",
            code="traffic.shares_sum_invalid",
            fix="leave the champion out: it takes what the others leave",
        )
    return TrafficPlan(variants=named, canary=canary)


def with_canary(plan: TrafficPlan, state: CanaryState) -> TrafficPlan:
    """Give the variant `state.variant` the share of its step, taken from the champion.

    Raises:
        NoriaError: another canary is active, or the last step needs more than the champion has.
    """
    variant = _require_challenger(plan, state.variant)
    if plan.canary is not None and plan.canary.variant != state.variant:
        raise NoriaError(
            f"`{plan.canary.variant}` is a canary already",
            code="traffic.canary_under_way",
            fix="promote it or take it back with rollback first",
        )
    spare, most = round(plan.champion.share + variant.share, 9), state.plan.steps[-1]
    if most > spare:
        raise NoriaError(
            f"the canary grows to a share of {most:g}, but champion and canary have only {spare:g} between them",
            code="traffic.canary_share_missing",
            where="serving.canary.steps",
            fix="take shares from the other variants first, or let the steps end lower",
        )
    grown = variant.model_copy(update={"share": state.plan.steps[state.step], "shadow": False})
    return TrafficPlan(variants=_with_champion_remainder(_with_replaced(plan, grown)), canary=state)


def without(plan: TrafficPlan, name: str) -> TrafficPlan:
    """Remove a challenger; the champion takes its share."""
    gone = _require_challenger(plan, name)
    canary = plan.canary if plan.canary is not None and plan.canary.variant != name else None
    return TrafficPlan(
        variants=_with_champion_remainder([each for each in plan.variants if each is not gone]), canary=canary
    )


def with_champion(plan: TrafficPlan, champion: PlannedVariant) -> TrafficPlan:
    """Replace the champion, keeping the champion's name.

    A challenger with the same bundle is removed; its share and its decision policy become the champion's.
    """
    known = next((each for each in plan.variants if each.bundle == champion.bundle), champion)
    others = [each for each in plan.variants[1:] if each.bundle != champion.bundle]
    canary = plan.canary
    if canary is not None and all(each.name != canary.variant for each in others):
        canary = None
    new = known.model_copy(update={"name": plan.champion.name, "shadow": False, "share": 0.0})
    return TrafficPlan(variants=_with_champion_remainder([new, *others]), canary=canary)


def with_policy(plan: TrafficPlan, name: str, policy: DecisionPolicy | None, version: str) -> TrafficPlan:
    """Set the decision policy of one variant; None selects the one in its bundle."""
    variant = plan.find(name)
    if variant is None:
        raise NoriaError(
            f"no variant `{name}` answers", code="traffic.variant_unknown", fix=f"name one of {_names(plan)}"
        )
    decided = variant.model_copy(update={"policy": policy, "policy_version": version})
    return TrafficPlan(variants=_with_replaced(plan, decided), canary=plan.canary)


def renew(plan: TrafficPlan) -> TrafficPlan:
    """The same variants as a new plan; the current step of a canary restarts."""
    canary = plan.canary
    if canary is not None:
        canary = canary.model_copy(update={"since": datetime.now(UTC)})
    return TrafficPlan(variants=plan.variants, canary=canary)


def describe_plan(plan: TrafficPlan) -> str:
    """Such as "champion 0.9 (version 3), challenger 0.1 (version 4), rules as a shadow (version 3)"."""
    return ", ".join(
        f"{each.name} {'as a shadow' if each.shadow else f'{each.share:g}'} (version {each.version})"
        for each in plan.variants
    )


def _with_champion_remainder(variants: list[PlannedVariant]) -> list[PlannedVariant]:
    """Give the champion the share that the others leave."""
    left = round(1 - sum(each.share for each in variants[1:]), 9)
    if left < 0:
        raise NoriaError(
            f"the challengers' shares add up to {1 - left:g}",
            code="traffic.shares_sum_invalid",
            fix="leave them at most 1 together",
        )
    return [variants[0].model_copy(update={"share": left}), *variants[1:]]


def _require_challenger(plan: TrafficPlan, name: str) -> PlannedVariant:
    variant = plan.find(name)
    if variant is None or name == plan.champion.name:
        raise NoriaError(
            f"there is no challenger `{name}`", code="traffic.variant_unknown", fix=f"name one of {_names(plan)}"
        )
    return variant


def _with_replaced(plan: TrafficPlan, variant: PlannedVariant) -> list[PlannedVariant]:
    return [variant if each.name == variant.name else each for each in plan.variants]


def _names(plan: TrafficPlan) -> str:
    return ", ".join(each.name for each in plan.variants)
