"""`label`: ask people for the labels that would teach most, and take their answers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from app.command_result import CommandResult, Facts, run_py
from app.commands.pipeline_runs import absolute_location, require_file
from app.serving.backend import backend_of
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment import wait_until_stored
from noria.labelling.agreement import Rule
from noria.labelling.answers import UNNAMED
from noria.labelling.asked import ASKED, CASES, RANDOM_SHARE, read_asked, record_asked, write_cases
from noria.labelling.taking import Taken
from noria.predictions import PredictionStore
from noria.reporting import plural
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from noria.traffic import activation

Form = Literal["csv", "label-studio", "both"]
_REFUSED, _OPEN = "refused.csv", "disagreements.csv"
_SHOWN = 5


def ask_for_labels(
    use_case: UseCase,
    budget: int,
    form: Form,
    *,
    include_young: bool = False,
    random_share: float | None = None,
    stack: str | None = None,
) -> CommandResult:
    """Choose the predictions whose labels would teach most, and write them for people.

    Args:
        use_case: whose predictions.
        budget: how many labels people can give.
        form: what is written.
        include_young: ask for cases whose label will still come by itself, too.
        random_share: share of the budget that is drawn at random; None: the usual one.
        stack: where the model is served, or registered; None: the stack in use.

    Raises:
        NoriaError: no model answers, or there is nothing to ask for.
    """
    from noria.labelling import read_candidates, select_cases
    from noria.labelling.wanted_file import write_csv, write_label_studio

    workspace, now = Workspace(use_case.name), datetime.now(UTC)
    with exclusive("label", workspace):
        bundles = _served_bundles(use_case, workspace, stack)
        manifest = bundles[0].manifest
        wait_until_stored(workspace)
        store = PredictionStore(workspace.predictions_url)
        try:
            found = read_candidates(store, use_case, manifest.version, now, include_young=include_young)
        finally:
            store.close()
        progress.stage("collect", f"{plural(len(found.unlabelled), 'prediction')} without a label")
        privacy = use_case.serving.privacy
        hidden = {*privacy.hash, *privacy.drop, *privacy.truncate}
        wanted = select_cases(
            bundles,
            found.unlabelled,
            budget,
            labelled=found.labelled,
            hidden=hidden,
            random_share=RANDOM_SHARE if random_share is None else random_share,
            seed=use_case.models.seed,
        )
        folder = workspace.labels
        record_asked(wanted, folder / ASKED, now)
        write_cases(wanted, folder / CASES)
        facts: Facts = []
        if form in ("csv", "both"):
            write_csv(wanted, manifest, folder / "wanted.csv")
            facts.append(("table", folder / "wanted.csv"))
        if form in ("label-studio", "both"):
            write_label_studio(wanted, manifest, folder / "label_studio")
            facts.append(("Label Studio", f"{folder / 'label_studio'}: config.xml and tasks.json"))
    reasons = [each.selected_by for each in wanted]
    facts += [(name, reasons.count(name)) for name in dict.fromkeys(reasons)]
    if found.waiting:
        facts.append(("left out", f"{plural(found.waiting, 'prediction')} whose label is still to come"))
    return CommandResult(
        f"{plural(len(wanted), 'label')} wanted, of {plural(len(found.unlabelled), 'prediction')} without one.",
        facts,
        [f"fill in `{manifest.target}`, then: {run_py('label --import', str(folder / 'wanted.csv'))}"],
    )


def import_labels(
    use_case: UseCase, file: str, rule: Rule | None, by: str | None, stack: str | None = None
) -> CommandResult:
    """Take the answers of people, from the table or from Label Studio's export.

    Raises:
        NoriaError: the file cannot be read, no model answers, or no answer can be used.
    """
    from noria.labelling import read_answers, take_answers
    from noria.labelling.taking import write_open, write_refused

    require_file(file, "--import")
    workspace = Workspace(use_case.name)
    with exclusive("label", workspace):
        manifest = _served_bundles(use_case, workspace, stack)[0].manifest
        answers = read_answers(absolute_location(file), use_case, manifest, datetime.now(UTC), by=by or UNNAMED)
        wait_until_stored(workspace)
        store = PredictionStore(workspace.predictions_url)
        try:
            taken = take_answers(store, answers, manifest, read_asked(workspace.labels / ASKED), rule)
        finally:
            store.close()
        if taken.refused:
            write_refused(taken.refused, workspace.labels / _REFUSED)
        if taken.open:
            write_open(taken.open, workspace.labels / _OPEN)
    return _imported(taken, file, workspace.labels)


def import_missing() -> NoriaError:
    """Options of an import were given without one."""
    return NoriaError(
        "--resolve and --by are about answers, and none are imported",
        code="cli.import_missing",
        where="--import",
        fix="name the file with the answers: --import FILE",
    )


def _imported(taken: Taken, file: str, folder: Path) -> CommandResult:
    facts: Facts = [("known already", taken.known), ("without an answer", taken.empty)]
    if taken.refused:
        facts.append(("refused", f"{plural(len(taken.refused), 'answer')}, with the reason in {folder / _REFUSED}"))
        facts += [("", f"{each.prediction_id}: {each.problem}") for each in taken.refused[:_SHOWN]]
    for pair in taken.pairs:
        kappa = "" if pair.kappa is None else f", Cohen's kappa {pair.kappa:.2f}"
        facts.append((f"{pair.first} and {pair.second}", f"{plural(pair.cases, 'case')} in common{kappa}"))
    if taken.open:
        facts.append(("people disagree", f"on {plural(len(taken.open), 'case')}, kept in {folder / _OPEN}, not stored"))
        for each in taken.open[:_SHOWN]:
            facts.append(
                ("", f"{each.prediction_id}: {', '.join(f'{who} {what}' for who, what in each.labels.items())}")
            )
    settle = [f"{run_py('label --import', file)} --resolve majority"] if taken.open else []
    return CommandResult(f"{plural(taken.stored, 'label')} stored.", facts, [*settle, run_py("monitor")])


def _served_bundles(use_case: UseCase, workspace: Workspace, stack: str | None) -> list[Bundle]:
    """The models that answer on this machine, the champion first; else the champion of the stack's registry."""
    plan = activation.read_plan(workspace.service) if backend_of(stack).is_local else None
    if plan is not None and plan.champion.bundle.is_dir():
        return [Bundle.load(plan.champion.bundle), *_others(plan)]
    from app.environment import zenml_client
    from app.stacks.registration import stack_for_one_run

    zenml_client()
    from steps.shared.champion import require_champion

    with stack_for_one_run(stack):
        return [require_champion(use_case.name)]


def _others(plan: activation.TrafficPlan) -> list[Bundle]:
    """Of the other variants those that can be read; the others have no say."""
    found = []
    for variant in plan.variants[1:]:
        try:
            found.append(Bundle.load(variant.bundle))
        except NoriaError as error:
            progress.warn(f"the variant `{variant.name}` is left out: {error.what}")
    return found
