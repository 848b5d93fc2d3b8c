"""What every backend does in the model registries when the champion changes."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.command_result import CommandResult, run_py
from app.environment import zenml_client
from app.runs.training_record import record_champion
from app.serving.backend import Confirm
from app.stacks.registration import stack_for_one_run
from noria.bundle import Bundle
from noria.bundle.qualification import require_qualified
from noria.config import UseCase
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic.activation import TrafficPlan


@contextmanager
def model_registries(use_case: UseCase, stack: str | None) -> Iterator[None]:
    """The model registries of a stack, while no other process changes what answers.

    Raises:
        NoriaError: another process does, or there is no such stack.
    """
    with exclusive("deploy", Workspace(use_case.name)):
        zenml_client()
        with stack_for_one_run(stack):
            yield


def find_candidate(use_case: UseCase, version: str | None, confirm: Confirm, plan: TrafficPlan | None = None) -> Bundle:
    """The bundle that becomes the champion.

    Args:
        use_case: whose champion.
        version: a number, or `rules`; None: the challenger in `plan`, or else the newest version.
        confirm: is asked before a version that the gate did not let through is promoted.
        plan: what answers now, where that is known.

    Raises:
        NoriaError: there is no such version, several challengers answer and none is named, the version is
            disqualified, or it was not confirmed.
    """
    from steps.shared.model_versions import find_bundle, gate_reason

    model = version or _next_champion(use_case, plan)
    bundle = find_bundle(use_case.name, model)
    require_qualified(bundle, use_case)
    number = bundle.manifest.version
    why = "" if model == "rules" else gate_reason(use_case.name, number)
    if why and not confirm(f"Version {number} did not pass the gate: {why} It becomes the champion all the same."):
        raise NoriaError(
            f"version {number} did not pass the gate, and its promotion was not confirmed: {why}",
            code="registry.gate_not_passed",
            where=f"version {number} of `{use_case.name}`",
            fix="answer y, or add --yes, to promote it all the same; or train again",
        )
    return bundle


def make_champion(use_case: UseCase, bundle: Bundle) -> None:
    """Make a bundle the champion in the model registries.

    Raises:
        NoriaError: they cannot be changed.
    """
    from steps.shared.model_versions import promote_version

    promote_version(use_case.name, int(bundle.manifest.version), "rules" if _is_rules(bundle) else "challenger")
    record_champion(Workspace(use_case.name), bundle.manifest.version)


def champion_result(bundle: Bundle, note: str) -> CommandResult:
    """The result of a promotion that no service follows yet; `note` is the reason."""
    version, kind = bundle.manifest.version, bundle.manifest.kind
    headline = f"Version {version} ({kind}) is the champion; {note}."
    return CommandResult(headline, [("version", version)], [run_py("deploy")])


def _is_rules(bundle: Bundle) -> bool:
    return bundle.manifest.kind == "rules"


def _next_champion(use_case: UseCase, plan: TrafficPlan | None) -> str:
    from steps.shared.model_versions import newest_challenger

    rivals = [] if plan is None else [each for each in plan.variants[1:] if not _is_rules(Bundle.open(each.bundle))]
    if plan is not None and plan.canary is not None:
        rivals = [each for each in rivals if each.name == plan.canary.variant]
    versions = sorted({each.version for each in rivals})
    if len(versions) > 1:
        raise NoriaError(
            f"several challengers answer: versions {', '.join(versions)}",
            code="registry.challenger_ambiguous",
            fix="name one with --version N",
        )
    return versions[0] if versions else str(newest_challenger(use_case.name, above_champion=True).number)
