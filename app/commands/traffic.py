"""`traffic`: who answers which share of the cases; other shares, a shadow, a canary, another decision policy."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.commands.result import CommandResult, Facts, run_py
from app.commands.traffic_summary import describe_traffic
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
from noria.deployment.audit import recent_changes, record_change
from noria.models.decision_policy import DecisionPolicy
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic import plan_transforms
from noria.traffic.activation import CanaryState, PlannedVariant, TrafficPlan
from noria.traffic.policy_change import with_changed_policy

_HELP = "python run.py traffic --help"


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


def show_traffic(use_case: UseCase, stack: str | None = None, url: str | None = None) -> CommandResult:
    """Who answers now.

    Raises:
        NoriaError: no service runs, or the prediction store cannot be read.
    """
    workspace, place = Workspace(use_case.name), place_of(stack, url)
    if place is not None:
        headline, facts = backend.show(place, use_case.name)
        return CommandResult(f"{use_case.name}: {headline}", facts, [_HELP])
    server = processes.running_server(workspace)
    plan = processes.current_plan(workspace, server)
    facts = describe_traffic(processes.service_status(workspace))
    facts += [("changed", change) for change in recent_changes(workspace.predictions_url)]
    return CommandResult(f"{use_case.name}: {plan_transforms.describe_plan(plan)}.", facts, [_HELP])


def change_traffic(
    use_case: UseCase, request: TrafficRequest, stack: str | None, url: str | None = None
) -> CommandResult:
    """Let a running service answer as wished, without a restart and without a failed request.

    Raises:
        NoriaError: no service runs, or the request do not fit it; then nothing has changed.
    """
    workspace, place = Workspace(use_case.name), place_of(stack, url)
    if place is not None and not place.is_changeable and not request.policy:
        return _rolled_out(use_case, request, backend.required(place).title, service_stack(stack))
    if place is not None:
        more = bool(request.shadow or request.canary)
        headline, told = backend.change(place, request.shares, request.policy, request.of, more=more)
        return CommandResult(f"{use_case.name}: {headline}", told, [run_py("traffic")])
    with exclusive("deploy", workspace):
        standing = processes.current_plan(workspace, processes.running_server(workspace))
        missing = [name for name in dict.fromkeys(request.named) if standing.find(name) is None]
        newcomers = [role.variant(workspace) for role in _fetched(use_case, missing, stack)]
        changed = processes.change_plan(use_case, workspace, _maker(use_case, workspace, request, newcomers))
    kind = "canary" if request.canary else "policy" if request.policy and not request.named else "traffic"
    record_change(changed, kind, _said(request))
    facts: Facts = [("before", _told(changed.before)), ("now", _told(changed.after))]
    if changed.after.canary is not None:
        facts.append(("canary", _canary_steps(changed.after.canary)))
    return CommandResult(
        f"{use_case.name}: {plan_transforms.describe_plan(changed.after)}.", facts, [run_py("rollback")]
    )


def _rolled_out(use_case: UseCase, request: TrafficRequest, title: str, stack: str) -> CommandResult:
    """On a cluster all pods have one traffic plan in their image: who should answer is rolled out as another image."""
    workspace = Workspace(use_case.name)

    def make(plan: TrafficPlan) -> TrafficPlan:
        missing = [name for name in dict.fromkeys(request.named) if plan.find(name) is None]
        newcomers = [role.in_place() for role in _fetched(use_case, missing, stack)]
        return _maker(use_case, workspace, request, newcomers)(plan)

    with exclusive("deploy", workspace):
        plan, image, cluster = roll_out(stack, use_case, make)
    facts: Facts = [("service", title), ("image", image), ("take it back", cluster.way_back)]
    if plan.canary is not None:
        facts.insert(0, ("canary", _canary_steps(plan.canary)))
    return CommandResult(f"{use_case.name}: {plan_transforms.describe_plan(plan)}.", facts, [run_py("traffic")])


def _maker(
    use_case: UseCase, workspace: Workspace, request: TrafficRequest, newcomers: list[PlannedVariant]
) -> Callable[[TrafficPlan], TrafficPlan]:
    def make(plan: TrafficPlan) -> TrafficPlan:
        for variant in newcomers:
            plan = plan_transforms.with_variant(plan, variant)
        if request.shadow is not None:
            plan = plan_transforms.with_shadow(plan, request.shadow)
        if request.shares:
            plan = plan_transforms.with_shares(plan, request.shares)
        if request.canary is not None:
            plan = plan_transforms.with_canary(plan, _canary(use_case, request.canary))
        if request.policy:
            plan = _decided(workspace, plan, request)
        return plan_transforms.drop_unused(plan)

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


def _decided(workspace: Workspace, plan: TrafficPlan, request: TrafficRequest) -> TrafficPlan:
    name = request.of or plan.champion.name
    variant = plan.find(name)
    manifest = Bundle.open((variant or plan.champion).bundle).manifest
    return with_changed_policy(plan, name, request.policy, workspace.service, manifest, shown=_option)


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


def _said(request: TrafficRequest) -> str:
    parts = [f"{name} set to {share:g}" for name, share in request.shares.items()]
    parts += [f"{request.shadow} made a shadow"] if request.shadow else []
    parts += [f"{request.canary} began as a canary"] if request.canary else []
    parts += [f"{key} of {request.of or 'the champion'} set to {value:g}" for key, value in request.policy.items()]
    return ", ".join(parts)


def _told(plan: TrafficPlan) -> str:
    policies = [
        f"{each.name} policy {each.policy_version}: {_keys(each.policy)}" for each in plan.variants if each.policy
    ]
    return "; ".join([plan_transforms.describe_plan(plan), *policies])


def _keys(policy: DecisionPolicy) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in policy.model_dump(exclude_defaults=True).items())


def _canary_steps(state: CanaryState) -> str:
    steps = ", ".join(f"{share:g}" for share in state.plan.steps)
    return f"{state.variant} grows by {steps}, each for at least {state.plan.step_minutes:g} minutes"
