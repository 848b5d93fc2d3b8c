"""`train`: train, tune and judge all candidates, and promote the winner if it beats its rivals."""

from datetime import UTC, datetime
from pathlib import Path

from app.command_result import CommandResult, Facts, run_py
from app.commands.given_time import given_time
from app.commands.next_step import next_while_serving
from app.commands.pipeline_runs import leakage_facts, quarantine_facts, run_on_data, save_report
from app.environment import one_at_a_time
from app.runs.launch import PipelineRun, artifact
from app.runs.training_record import (
    TrainingInputs,
    TrainingRecord,
    last_training,
    record_training,
    training_inputs,
)
from app.serving.backend import backend_of
from app.stacks.active_stack import store_in_use
from noria.config import UseCase
from noria.deployment import read_state
from noria.evaluation.report.narrative import served_fit, tried_on
from noria.evaluation.results import GateVerdict
from noria.labelled_cases.results import CasesSummary
from noria.system.workspace import Workspace
from noria.training.windows import WindowChoice


def train(use_case: UseCase, stack: str | None, *, again: bool = False, now: str | None = None) -> CommandResult:
    """Train, judge and, if the gate says so, promote; both reports are saved in the workspace.

    What the last training has learned already is not learned again.

    Args:
        use_case: what is trained.
        stack: where the pipeline runs.
        again: train even if data, configuration, code and stack are those of the last training.
        now: the time of the training (ISO 8601), for a look at the past: labelled cases of later times do not count.

    Raises:
        NoriaError: `now` is no time, a step failed, or a file or column that the use case names is not there.
    """
    at = given_time(now)
    inputs = checked_inputs(use_case, stack, at)
    record = last_training(Workspace(use_case.name))
    if record is not None and record.inputs == inputs and not again:
        return _nothing_new(use_case, stack, record)
    return describe_training(run_training(use_case, stack, inputs, now=at), use_case, stack)


def run_training(
    use_case: UseCase,
    stack: str | None,
    inputs: TrainingInputs | None = None,
    *,
    now: datetime | None = None,
    hold: bool = False,
    suffix: str = "",
) -> PipelineRun:
    """Run the training pipeline to its end, and record what it has learned from.

    Args:
        use_case: what is trained.
        stack: where the pipeline runs.
        inputs: what it learns from, if that is known already.
        now: the time of the training, for a look at the past.
        hold: what passes the gate is registered, but not promoted yet.
        suffix: ends the name of the run; empty: a random one.

    Raises:
        NoriaError: a step failed, or a file or column that the use case names is not there.
    """
    inputs = inputs or checked_inputs(use_case, stack, now)
    workspace = Workspace(use_case.name)
    with one_at_a_time("train", workspace):
        from pipelines.training import training

        more = {"hold": True} if hold else {}  # without it, cached runs of earlier versions stay what they are
        run = run_on_data(training, use_case, stack, "new version", inputs.data, now=now, suffix=suffix, **more)
        record_training(workspace, training_record_of(run, use_case, inputs, hold=hold))
    return run


def describe_training(run: PipelineRun, use_case: UseCase, stack: str | None = None) -> CommandResult:
    """The outcome of a completed run; its reports are saved in the workspace."""
    workspace = Workspace(use_case.name)
    exploration = save_report(
        artifact(run, "explore", "exploration_report").html, workspace.reports / "exploration.html"
    )
    report = save_report(artifact(run, "gate", "evaluation_report").html, _report(workspace))
    verdict = artifact(run, "gate", "verdict")
    selection = artifact(run, "select", "selection")
    evaluation = artifact(run, "gate", "final_evaluation")
    primary = evaluation.metrics[use_case.evaluation.metric]
    must_go = verdict.disqualified and verdict.promote == "none"
    compared = [("compared", verdict.champion_basis)] if verdict.champion_basis else []
    return CommandResult(
        _headline(verdict),
        [
            ("verdict", verdict.reason),
            *leakage_facts(run),
            ("chosen", selection.reason),
            *compared,
            (use_case.evaluation.metric, f"{primary.value:.3f} ({primary.low:.3f} to {primary.high:.3f})"),
            *_case_facts(run, use_case),
            *([("learned from", window)] if (window := _window(run, use_case)) else []),
            ("rows", f"{tried_on(evaluation, use_case)} {served_fit(evaluation, verdict, use_case)}"),
            ("data report", exploration),
            ("model report", report),
            *quarantine_facts(run, workspace),
        ],
        [f"open {report}"]
        if must_go
        else [_next(use_case, stack, promoted=verdict.promote != "none", champion=_champion(use_case.name))],
    )


def _headline(verdict: GateVerdict) -> str:
    is_first = any(each.rival == "nothing" for each in verdict.comparisons)
    if verdict.promote == "challenger":
        beaten = "a constant answer, and nothing else is in use" if is_first else "every rival"
        return f"Promoted: {verdict.candidate} beats {beaten}."
    if verdict.promote == "rules":
        return "The rules are as good as any model: they are promoted, ML is not needed."
    if verdict.disqualified:
        return f"Nothing is promoted, and what is in service must not stay. {verdict.disqualified}"
    if is_first:
        return "Nothing is promoted: no candidate beats a constant answer beyond chance."
    return "Nothing new is promoted: the model in place stays."


def _nothing_new(use_case: UseCase, stack: str | None, record: TrainingRecord) -> CommandResult:
    """Which version holds the model that a training would find, and what can be done with it."""
    if record.version == record.champion:
        standing = "the champion"
    elif record.champion:
        standing = f"not promoted, version {record.champion} is the champion"
    else:
        standing = "not promoted, and there is no champion"
    facts: Facts = [
        ("version", f"{record.version} ({record.kind}), {standing}"),
        ("trained", f"{record.at:%Y-%m-%d %H:%M} UTC"),
        ("verdict", record.reason),
        ("model report", record.report),
        ("to repeat it", run_py("train --again")),
    ]
    is_champion = record.version == record.champion
    return CommandResult(
        f"Nothing new to learn: version {record.version} is the model of this data, configuration and code.",
        facts,
        [_next(use_case, stack, promoted=False, champion=record.champion)]
        + ([] if is_champion else [run_py("promote --version", record.version)]),
    )


def _next(use_case: UseCase, stack: str | None, *, promoted: bool, champion: str) -> str:
    """What `status` names, too."""
    if promoted:
        return run_py("deploy")
    if not champion:
        return f"open {_report(Workspace(use_case.name))}"
    if not backend_of(stack).is_local:
        return run_py("status")
    server = read_state(Workspace(use_case.name))
    return next_while_serving(use_case, server) if server is not None and server.ready else run_py("deploy")


def checked_inputs(use_case: UseCase, stack: str | None, now: datetime | None = None) -> TrainingInputs:
    """What a training would learn from now, or at `now`.

    Raises:
        NoriaError: a file or column that the use case names is not there.
    """
    from noria.data.column_check import check_columns  # `status` should not wait for pandas

    check_columns(use_case)
    return training_inputs(use_case, stack, now)


def training_record_of(
    run: PipelineRun, use_case: UseCase, inputs: TrainingInputs, *, hold: bool = False
) -> TrainingRecord:
    """What a completed run has found; with `hold`, it promoted nothing."""
    verdict, now = artifact(run, "gate", "verdict"), datetime.now(UTC)
    return TrainingRecord(
        # the first training makes ZenML's store
        inputs=inputs.model_copy(update={"store": store_in_use()}),
        version=str(run.model_version.number),
        kind="rules" if verdict.promote == "rules" else verdict.candidate,
        promote=verdict.promote,
        reason=verdict.reason,
        champion=_champion(use_case.name),
        promoted_at=None if verdict.promote == "none" or hold else now,
        at=now,
        report=str(_report(Workspace(use_case.name))),
        cases=_cases(run, use_case),
        window=_window(run, use_case),
    )


def _case_facts(run: PipelineRun, use_case: UseCase) -> Facts:
    summary = _cases(run, use_case)
    return [] if summary is None else [("labelled cases", sentence) for sentence in summary.sentences()]


def _cases(run: PipelineRun, use_case: UseCase) -> CasesSummary | None:
    """What became of the labelled cases; None: the use case reads none."""
    if all(source.kind == "table" for source in use_case.data.sources):
        return None
    summary: CasesSummary = artifact(run, "ingest", "labelled_cases")
    return summary


def _window(run: PipelineRun, use_case: UseCase) -> str:
    """Which rows were learned from, and why; empty: all, which weigh the same, as the use case says."""
    if use_case.data.window != "auto":
        return "" if use_case.window is None else f"{use_case.window}, as data.window says"
    choice: WindowChoice = artifact(run, "choose_window", "window")
    return choice.reason


def _report(workspace: Workspace) -> Path:
    return workspace.reports / "evaluation.html"


def _champion(name: str) -> str:
    """Version of the champion; empty: there is none."""
    from steps.shared.champion import champion_version

    version = champion_version(name)
    return "" if version is None else str(version.number)
