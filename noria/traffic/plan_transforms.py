"""New orders made of old ones: other shares, a shadow, a canary, a promotion, another policy. Nothing is written.

A variant may be left without a share; `settled` takes it out at the end.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from noria.models.decision_policy import DecisionPolicy
from noria.system.errors import NoriaError
from noria.traffic.activation import CanaryState, PlannedVariant, TrafficPlan


def drop_unused(order: TrafficPlan) -> TrafficPlan:
    """Without the variants that hold neither a share nor a shadow's place; the champion stays in any case."""
    kept = [order.champion, *(each for each in order.variants[1:] if each.share > 0 or each.shadow)]
    return TrafficPlan(variants=kept, canary=order.canary)


def with_variant(order: TrafficPlan, variant: PlannedVariant) -> TrafficPlan:
    """A variant that was not there; it has no share until it gets one."""
    return TrafficPlan(variants=[*order.variants, variant], canary=order.canary)


def with_shadow(order: TrafficPlan, name: str) -> TrafficPlan:
    """The challenger answers nobody from now on, but predicts everything; the champion takes its share."""
    shadow = _challenger(order, name).model_copy(update={"share": 0.0, "shadow": True})
    canary = order.canary if order.canary is not None and order.canary.variant != name else None
    return TrafficPlan(variants=_filled(_replaced(order, shadow)), canary=canary)


def with_shares(order: TrafficPlan, shares: Mapping[str, float]) -> TrafficPlan:
    """Other shares; the champion takes the rest unless it is named. A canary that is named is one no more.

    Raises:
        NoriaError: an unknown name, a share that is none, or shares that do not add up to 1.
    """
    for name, share in shares.items():
        if order.find(name) is None:
            raise NoriaError(f"no variant `{name}` answers", fix=f"name one of {_names(order)}")
        if not 0 <= share <= 1:
            raise NoriaError(f"a share of {share:g} for `{name}`", fix="shares go from 0 to 1")
    named = [
        each.model_copy(update={"share": shares[each.name], "shadow": False}) if each.name in shares else each
        for each in order.variants
    ]
    canary = None if order.canary is not None and order.canary.variant in shares else order.canary
    if order.champion.name not in shares:
        return TrafficPlan(variants=_filled(named), canary=canary)
    total = sum(each.share for each in named)
    if abs(total - 1) > 1e-6:
        raise NoriaError(
            f"the shares add up to {total:g}, not to 1", fix="leave the champion out: it takes what the others leave"
        )
    return TrafficPlan(variants=named, canary=canary)


def with_canary(order: TrafficPlan, state: CanaryState) -> TrafficPlan:
    """The variant `state.variant` takes the share of its step from the champion.

    Raises:
        NoriaError: another canary is under way, or the last step asks for more than the champion has.
    """
    variant = _challenger(order, state.variant)
    if order.canary is not None and order.canary.variant != state.variant:
        raise NoriaError(
            f"`{order.canary.variant}` is a canary already", fix="promote it or take it back with rollback first"
        )
    spare, most = round(order.champion.share + variant.share, 9), state.plan.steps[-1]
    if most > spare:
        raise NoriaError(
            f"the canary grows to a share of {most:g}, but champion and canary have only {spare:g} between them",
            where="serving.canary.steps",
            fix="take shares from the other variants first, or let the steps end lower",
        )
    grown = variant.model_copy(update={"share": state.plan.steps[state.step], "shadow": False})
    return TrafficPlan(variants=_filled(_replaced(order, grown)), canary=state)


def without(order: TrafficPlan, name: str) -> TrafficPlan:
    """A challenger is gone; the champion takes its share."""
    gone = _challenger(order, name)
    canary = order.canary if order.canary is not None and order.canary.variant != name else None
    return TrafficPlan(variants=_filled([each for each in order.variants if each is not gone]), canary=canary)


def with_champion(order: TrafficPlan, champion: PlannedVariant) -> TrafficPlan:
    """Another champion under the champion's name.

    A challenger with its bundle is gone, and its share and its decision policy are the champion's now.
    """
    known = next((each for each in order.variants if each.bundle == champion.bundle), champion)
    others = [each for each in order.variants[1:] if each.bundle != champion.bundle]
    canary = order.canary
    if canary is not None and all(each.name != canary.variant for each in others):
        canary = None
    new = known.model_copy(update={"name": order.champion.name, "shadow": False, "share": 0.0})
    return TrafficPlan(variants=_filled([new, *others]), canary=canary)


def with_policy(order: TrafficPlan, name: str, policy: DecisionPolicy | None, version: str) -> TrafficPlan:
    """Another decision policy for one variant; None: its bundle's own."""
    variant = order.find(name)
    if variant is None:
        raise NoriaError(f"no variant `{name}` answers", fix=f"name one of {_names(order)}")
    decided = variant.model_copy(update={"policy": policy, "policy_version": version})
    return TrafficPlan(variants=_replaced(order, decided), canary=order.canary)


def renew(order: TrafficPlan) -> TrafficPlan:
    """The same variants as a new order; the step of a canary begins anew."""
    canary = order.canary
    if canary is not None:
        canary = canary.model_copy(update={"since": datetime.now(UTC)})
    return TrafficPlan(variants=order.variants, canary=canary)


def describe_plan(order: TrafficPlan) -> str:
    """Such as "champion 0.9 (version 3), challenger 0.1 (version 4), rules as a shadow (version 3)"."""
    return ", ".join(
        f"{each.name} {'as a shadow' if each.shadow else f'{each.share:g}'} (version {each.version})"
        for each in order.variants
    )


def _filled(variants: list[PlannedVariant]) -> list[PlannedVariant]:
    """The first one takes what the others leave."""
    left = round(1 - sum(each.share for each in variants[1:]), 9)
    if left < 0:
        raise NoriaError(f"the challengers' shares add up to {1 - left:g}", fix="leave them at most 1 together")
    return [variants[0].model_copy(update={"share": left}), *variants[1:]]


def _challenger(order: TrafficPlan, name: str) -> PlannedVariant:
    variant = order.find(name)
    if variant is None or name == order.champion.name:
        raise NoriaError(f"no challenger `{name}` is there", fix=f"name one of {_names(order)}")
    return variant


def _replaced(order: TrafficPlan, variant: PlannedVariant) -> list[PlannedVariant]:
    return [variant if each.name == variant.name else each for each in order.variants]


def _names(order: TrafficPlan) -> str:
    return ", ".join(each.name for each in order.variants)
