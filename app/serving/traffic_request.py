"""What `traffic` was asked for, and the traffic plan that follows from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.environment import zenml_client
from app.stacks.registration import stack_for_one_run
from noria.bundle import Bundle
from noria.bundle.qualification import require_qualified
from noria.config import UseCase
from noria.deployment import VariantSpec
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from noria.traffic import plan_transforms
from noria.traffic.activation import CanaryState, PlannedVariant, TrafficPlan
from noria.traffic.policy_change import with_changed_policy


@dataclass(frozen=True)
class TrafficRequest:
    """What `traffic` was asked for."""

    shares: Mapping[str, float] = field(default_factory=dict)
    shadow: str | None = None
    canary: str | None = None
    policy: Mapping[str, float] = field(default_factory=dict)
    """Keys of the decision policy that change."""
    of: str | None = None
    """The variant whose policy changes; None: the champion."""

    @classmethod
    def read(
        cls,
        shares: Iterable[str],
        shadow: str | None,
        canary: str | None,
        of: str | None,
        **policy: float | None,
    ) -> "TrafficRequest":
        """From the command line; `shares` are texts such as "challenger=0.1".

        Raises:
            NoriaError: one of them cannot be read.
        """
        given = {name: value for name, value in policy.items() if value is not None}
        if of is not None and not given:
            raise NoriaError(
                f"nothing is said about `{of}`",
                code="traffic.policy_missing",
                fix="--variant goes with --threshold and its like",
            )
        return cls(dict(map(_share, shares)), shadow, canary, given, of)

    def __bool__(self) -> bool:
        return bool(self.shares or self.shadow or self.canary or self.policy)

    @property
    def named(self) -> list[str]:
        """The variants that must be there."""
        return [*(name for name, share in self.shares.items() if share > 0), *filter(None, (self.shadow, self.canary))]

    @property
    def kind(self) -> str:
        """What the audit log calls the change: canary, policy or traffic."""
        if self.canary:
            return "canary"
        return "policy" if self.policy and not self.named else "traffic"

    @property
    def description(self) -> str:
        """The change in words."""
        parts = [f"{name} set to {share:g}" for name, share in self.shares.items()]
        parts += [f"{self.shadow} made a shadow"] if self.shadow else []
        parts += [f"{self.canary} began as a canary"] if self.canary else []
        parts += [f"{key} of {self.of or 'the champion'} set to {value:g}" for key, value in self.policy.items()]
        return ", ".join(parts)


def missing_variants(
    use_case: UseCase, request: TrafficRequest, plan: TrafficPlan, stack: str | None
) -> list[VariantSpec]:
    """The variants of a request that a plan does not have yet, from the model registry of a stack.

    Raises:
        NoriaError: there is no such model, or it is disqualified.
    """
    names = [name for name in dict.fromkeys(request.named) if plan.find(name) is None]
    if not names:
        return []
    zenml_client()
    from steps.shared.model_versions import find_bundle

    with stack_for_one_run(stack):
        models = {name: each.model for name, each in use_case.serving.variants.items()}
        found = {name: find_bundle(use_case.name, models.get(name, name)) for name in names}
    for bundle in found.values():
        require_qualified(bundle, use_case)
    return [VariantSpec(bundle, name, share=0.0) for name, bundle in found.items()]


def requested_plan(
    use_case: UseCase, request: TrafficRequest, new_variants: list[PlannedVariant]
) -> Callable[[TrafficPlan], TrafficPlan]:
    """How a plan changes by a request.

    Args:
        use_case: its canary's steps, and where the versions of its policies are kept.
        request: the change.
        new_variants: variants that the request names and the plan does not have yet.
    """

    def change(plan: TrafficPlan) -> TrafficPlan:
        for variant in new_variants:
            plan = plan_transforms.with_variant(plan, variant)
        if request.shadow is not None:
            plan = plan_transforms.with_shadow(plan, request.shadow)
        if request.shares:
            plan = plan_transforms.with_shares(plan, request.shares)
        if request.canary is not None:
            plan = plan_transforms.with_canary(plan, _canary(use_case, request.canary))
        if request.policy:
            plan = _with_policy(use_case, plan, request)
        return plan_transforms.drop_unused(plan)

    return change


def _canary(use_case: UseCase, name: str) -> CanaryState:
    return CanaryState(
        variant=name,
        plan=use_case.serving.canary,
        problem=use_case.problem,
        metric=use_case.evaluation.metric,
    )


def _with_policy(use_case: UseCase, plan: TrafficPlan, request: TrafficRequest) -> TrafficPlan:
    name, folder = request.of or plan.champion.name, Workspace(use_case.name).service
    variant = plan.find(name)
    manifest = Bundle.open((variant or plan.champion).bundle).manifest
    return with_changed_policy(plan, name, request.policy, folder, manifest, shown=_option)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        return name.strip(), float(share)
    except ValueError as error:
        raise NoriaError(
            f"`{text}` is no share",
            code="traffic.share_invalid",
            where="--set",
            fix="write NAME=SHARE, such as challenger=0.1",
        ) from error


def _option(key: str) -> str:
    return "--" + key.replace("_", "-")
