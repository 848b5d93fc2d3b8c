"""`traffic` with options: other shares, a shadow, a canary, another decision policy."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.commands.traffic import Turned
from app.environment import zenml_client
from app.serving import backend
from app.serving.backend import place_of
from app.serving.kubernetes_rollout import roll_out
from app.stacks.active_stack import service_stack
from app.stacks.stacks import stack_for_one_run
from noria import deployment as processes
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment import VariantSpec
from noria.deployment.audit import record_change
from noria.models.decision_policy import DecisionPolicy
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
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
            NoriaError: one of them says nothing.
        """
        given = {name: value for name, value in policy.items() if value is not None}
        if of is not None and not given:
            raise NoriaError(f"nothing is said about `{of}`", fix="--variant goes with --threshold and its like")
        return cls(dict(map(_share, shares)), shadow, canary, given, of)

    def __bool__(self) -> bool:
        return bool(self.shares or self.shadow or self.canary or self.policy)

    @property
    def named(self) -> list[str]:
        """The variants that must be there."""
        return [*(name for name, share in self.shares.items() if share > 0), *filter(None, (self.shadow, self.canary))]


def change_traffic(use_case: UseCase, wishes: TrafficRequest, stack: str | None, url: str | None = None) -> Turned:
    """Let a running service answer as wished, without a restart and without a failed request.

    Raises:
        NoriaError: no service runs, or the wishes do not fit it; then nothing has changed.
    """
    workspace, place = Workspace(use_case.name), place_of(stack, url)
    if place is not None and not place.is_changeable and not wishes.policy:
        return _rolled_out(use_case, wishes, backend.required(place).title, service_stack(stack))
    if place is not None:
        more = bool(wishes.shadow or wishes.canary)
        headline, told = backend.change(place, wishes.shares, wishes.policy, wishes.of, more=more)
        return Turned(f"{use_case.name}: {headline}", told, goes_back=False)
    with exclusive("deploy", workspace):
        standing = processes.current_plan(workspace, processes.running_server(workspace))
        missing = [name for name in dict.fromkeys(wishes.named) if standing.find(name) is None]
        newcomers = [role.variant(workspace) for role in _fetched(use_case, missing, stack)]
        changed = processes.change_plan(use_case, workspace, _maker(use_case, workspace, wishes, newcomers))
    kind = "canary" if wishes.canary else "policy" if wishes.policy and not wishes.named else "traffic"
    record_change(changed, kind, _said(wishes))
    facts: list[tuple[str, object]] = [("before", _told(changed.before)), ("now", _told(changed.after))]
    if changed.after.canary is not None:
        facts.append(("canary", _plan(changed.after.canary)))
    return Turned(f"{use_case.name}: {plan_transforms.describe_plan(changed.after)}.", facts)


def _rolled_out(use_case: UseCase, wishes: TrafficRequest, title: str, stack: str) -> Turned:
    """On a cluster all pods have one order in their image: who should answer is rolled out as another image."""
    workspace = Workspace(use_case.name)

    def make(order: TrafficPlan) -> TrafficPlan:
        missing = [name for name in dict.fromkeys(wishes.named) if order.find(name) is None]
        newcomers = [role.in_place() for role in _fetched(use_case, missing, stack)]
        return _maker(use_case, workspace, wishes, newcomers)(order)

    with exclusive("deploy", workspace):
        order, image, cluster = roll_out(stack, use_case, make)
    facts: list[tuple[str, object]] = [("service", title), ("image", image), ("take it back", cluster.way_back)]
    if order.canary is not None:
        facts.insert(0, ("canary", _plan(order.canary)))
    return Turned(f"{use_case.name}: {plan_transforms.describe_plan(order)}.", facts, goes_back=False)


def _maker(
    use_case: UseCase, workspace: Workspace, wishes: TrafficRequest, newcomers: list[PlannedVariant]
) -> Callable[[TrafficPlan], TrafficPlan]:
    def make(order: TrafficPlan) -> TrafficPlan:
        for variant in newcomers:
            order = plan_transforms.with_variant(order, variant)
        if wishes.shadow is not None:
            order = plan_transforms.with_shadow(order, wishes.shadow)
        if wishes.shares:
            order = plan_transforms.with_shares(order, wishes.shares)
        if wishes.canary is not None:
            order = plan_transforms.with_canary(order, _canary(use_case, wishes.canary))
        if wishes.policy:
            order = _decided(workspace, order, wishes)
        return plan_transforms.drop_unused(order)

    return make


def _fetched(use_case: UseCase, names: list[str], stack: str | None) -> list[VariantSpec]:
    """The variants that the service does not hold yet, from the registry."""
    if not names:
        return []
    zenml_client()
    from steps.shared.model_versions import find_bundle

    with stack_for_one_run(stack):
        models = {name: each.model for name, each in use_case.serving.variants.items()}
        return [VariantSpec(find_bundle(use_case.name, models.get(name, name)), name, share=0.0) for name in names]


def _canary(use_case: UseCase, name: str) -> CanaryState:
    return CanaryState(
        variant=name,
        plan=use_case.serving.canary,
        problem=use_case.problem,
        metric=use_case.evaluation.metric,
    )


def _decided(workspace: Workspace, order: TrafficPlan, wishes: TrafficRequest) -> TrafficPlan:
    name = wishes.of or order.champion.name
    variant = order.find(name)
    manifest = Bundle.open((variant or order.champion).bundle).manifest
    return with_changed_policy(order, name, wishes.policy, workspace.service, manifest, shown=_option)


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        return name.strip(), float(share)
    except ValueError as error:
        raise NoriaError(
            f"`{text}` is no share", where="--set", fix="write NAME=SHARE, such as challenger=0.1"
        ) from error


def _option(key: str) -> str:
    return "--" + key.replace("_", "-")


def _said(wishes: TrafficRequest) -> str:
    parts = [f"{name} set to {share:g}" for name, share in wishes.shares.items()]
    parts += [f"{wishes.shadow} made a shadow"] if wishes.shadow else []
    parts += [f"{wishes.canary} began as a canary"] if wishes.canary else []
    parts += [f"{key} of {wishes.of or 'the champion'} set to {value:g}" for key, value in wishes.policy.items()]
    return ", ".join(parts)


def _told(order: TrafficPlan) -> str:
    policies = [
        f"{each.name} policy {each.policy_version}: {_keys(each.policy)}" for each in order.variants if each.policy
    ]
    return "; ".join([plan_transforms.describe_plan(order), *policies])


def _keys(policy: DecisionPolicy) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in policy.model_dump(exclude_defaults=True).items())


def _plan(state: CanaryState) -> str:
    steps = ", ".join(f"{share:g}" for share in state.plan.steps)
    return f"{state.variant} grows by {steps}, each for at least {state.plan.step_minutes:g} minutes"
