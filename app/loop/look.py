"""One look of the loop: go on with what is under way, monitor, decide, act, report."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.command_result import run_py
from app.commands.monitor import run_monitoring
from app.environment import hints_of
from app.loop.gain import expected_gain
from app.loop.messenger import Messenger
from app.loop.runner import LoopRunner
from app.loop.service import LocalService, LoopService
from app.loop.trainer import Trainer
from app.serving.backend import backend_of
from app.stacks.registration import stack_for_one_run
from noria.config import UseCase
from noria.loop import Decision, Evidence, Journal, LoopState, carry_on, choose, evidence_of, loop_news
from noria.loop.actions import begin
from noria.loop.backtest import TrialCache
from noria.loop.journal import wall_clock
from noria.loop.messages import decision_key, decision_message, failure_message
from noria.monitoring.monitoring_report import write_newest_page
from noria.monitoring.verdict import MonitoringVerdict
from noria.monitoring.verdict_history import history_file, read
from noria.system import progress
from noria.system.errors import NoriaError, describe
from noria.system.workspace import Workspace

_CHANGES_SERVICE = ("introduce", "roll_back", "fall_back_to_rules")
_MOST_DECISIONS = 2
"""After a retraining that passed the gate, its way into service is decided at once."""
_POSTED_BY_MONITORING = ("verdict", "data_fault")
"""Rules that repeat the verdict, which the monitoring pipeline posts to the stack's alerter itself."""
_CLOCK_TOLERANCE = timedelta(minutes=1)


@dataclass(frozen=True)
class LookResult:
    """What a look has found and done."""

    verdict: MonitoringVerdict
    decision: Decision | None
    """None: an action is under way."""
    done: str
    """What was done, in one sentence."""


class Loop:
    """Looks at one service and acts on what it finds.

    Args:
        use_case: whose service.
        stack: where pipelines run.
        journal: what it remembers.
        labels: a file or URL with true labels that is read at each look; None: none.
        every: time until the next look; None: there is none.
    """

    def __init__(
        self,
        use_case: UseCase,
        stack: str | None,
        journal: Journal,
        *,
        labels: str | None = None,
        every: timedelta | None = None,
    ) -> None:
        self._use_case = use_case
        self._stack = stack
        self._journal = journal
        self._labels = labels
        self._every = every
        self._workspace = Workspace(use_case.name)
        self._trainer = Trainer(use_case, stack, self._now)
        self._trials = TrialCache()
        self._is_local = backend_of(stack).is_local
        self._service: LoopService = LocalService(use_case, stack)
        self._runner = LoopRunner(self._trainer, self._service, use_case.loop, use_case.serving.canary)
        self.messenger = Messenger(use_case, stack, journal)

    def look(self) -> LookResult:
        """Look once.

        Raises:
            NoriaError: monitoring is not possible, or the journal cannot be written; what was under way goes on at the
                next look.
        """
        try:
            result = self._look()
            self._refresh_page()
            return result
        except Exception as error:
            self._note_failure(error)
            raise

    def _look(self) -> LookResult:
        self._check_clock()
        self._act()
        self._check_service()
        now = self._now()
        verdict, run = run_monitoring(
            self._use_case,
            self._labels,
            self._stack,
            None if now is None else now.isoformat(),
            next_look=self._next_look().get("next", ""),
        )
        self._journal.append(
            "look",
            outcome=verdict.verdict,
            version=verdict.version,
            why=verdict.reasons[:3],
            facts={"run": run.name, "report": verdict.reports.get("summary", ""), **self._next_look()},
        )
        under_way = LoopState.of(self._journal).open
        if under_way is not None:
            step = under_way.under_way.name if under_way.under_way is not None else "its next step"
            return LookResult(verdict, None, f"{under_way.name} of version {under_way.version} is at {step}")
        decision = self._decide(verdict)
        self.messenger.send_ends()
        return LookResult(verdict, decision, self._said(decision))

    def _refresh_page(self) -> None:
        """The page was written before the decision; now it tells what was done, too."""
        news = loop_news(self._workspace, self._next_look().get("next", ""))
        history = read(history_file(self._workspace), warn=False)
        write_newest_page(self._workspace, history, self._use_case, hints_of(self._use_case.name), news)

    def _now(self) -> datetime | None:
        """The time of the look where the journal has a clock of its own, as in a replay."""
        return None if self._journal.clock is wall_clock else self._journal.clock()

    def _next_look(self) -> dict[str, str]:
        if self._every is None:
            return {}
        return {"next": f"{self._journal.clock() + self._every:%Y-%m-%d %H:%M} UTC"}

    def _decide(self, verdict: MonitoringVerdict) -> Decision:
        for _ in range(_MOST_DECISIONS):
            evidence = self._evidence(verdict)
            decision = self._possible_here(choose(evidence, self._use_case.loop))
            self._keep(decision, evidence)
            for each in filter(None, (decision, decision.also)):
                self._report(each, evidence.waiting or verdict.version)
            if decision.mode != "do" or decision.action in ("nothing", "alert", "ask_for_labels"):
                break
            begin(self._journal, decision, verdict.version, evidence.waiting)
            self._act()
            last = LoopState.of(self._journal).latest("retrain")
            if decision.action != "retrain" or last is None or last.outcome != "done":
                break
        return decision

    def _report(self, decision: Decision, version: str) -> None:
        text = decision_message(self._use_case.name, decision, version)
        to_stack = decision.why[-1].rule not in _POSTED_BY_MONITORING
        self.messenger.send(decision_key(decision, version), text, to_stack=to_stack)

    def _act(self) -> None:
        carry_on(self._journal, self._runner, self._use_case.loop)
        self.messenger.send_ends()

    def _evidence(self, verdict: MonitoringVerdict) -> Evidence:
        loop = self._use_case.loop
        gain = expected_gain(self._use_case, self._stack, verdict, self._retrainings_left(), self._trials)
        asks = verdict.verdict == "retrain" or (gain is not None and gain.pays is True)  # it reads all labelled cases
        return evidence_of(
            verdict,
            self._journal,
            loop,
            gain=gain,
            new_data=self._trainer.has_new_data() if asks else None,
            is_rules=self._answers_by_rules(),
        )

    def _retrainings_left(self) -> int:
        budget = self._use_case.loop.budget
        used = LoopState.of(self._journal).retrainings(self._journal, timedelta(days=budget.days))
        return max(budget.retrainings - used, 0)

    def _answers_by_rules(self) -> bool:
        if not self._is_local:
            return False
        try:
            return self._service.is_rules()
        except NoriaError:  # it does not run, and `_check_service` has reported that
            return False

    def _possible_here(self, decision: Decision) -> Decision:
        """Where an image must be built for it, a change of the service is left to a person."""
        if self._is_local or decision.action not in _CHANGES_SERVICE or decision.mode != "do":
            return decision
        advice = f"{decision.advice} This stack serves from an image, so `promote` and then `deploy`."
        version = LoopState.of(self._journal).latest("retrain")
        command = decision.command
        if decision.action == "introduce" and version is not None:
            command = run_py("promote --version", version.version)
        return decision.model_copy(update={"mode": "propose", "advice": advice, "command": command})

    def _keep(self, decision: Decision, evidence: Evidence) -> None:
        self._journal.append(
            "decision",
            name=decision.action,
            outcome=decision.mode,
            version=evidence.version,
            why=[each.text for each in decision.why if each.decides],
            facts={"rule": decision.why[-1].rule, "advice": decision.advice, "command": decision.command},
            evidence={
                **evidence.model_dump(mode="json"),
                "rules": [each.model_dump(mode="json") for each in decision.why],
            },
        )
        if decision.action != "nothing":
            self._record(decision, evidence)

    def _record(self, decision: Decision, evidence: Evidence) -> None:
        """Keep it with the model version, where ZenML and MLflow show it."""
        from steps.shared.loop_record import record_decision

        said = f"{decision.action} ({decision.mode}): {decision.reason}"
        with stack_for_one_run(self._stack):
            record_decision(self._use_case.name, evidence.version, evidence.at, said)

    def _said(self, decision: Decision) -> str:
        last = LoopState.of(self._journal).latest(decision.action)
        if decision.mode == "do" and last is not None:
            ended = last.ended
            return (
                f"{decision.action}: {ended.outcome}, {ended.why[0]}"
                if ended is not None
                else f"{decision.action} began"
            )
        name = decision.action.replace("_", " ")
        return f"{name} is proposed: {decision.reason}" if decision.mode == "propose" else f"{name}: {decision.reason}"

    def _check_clock(self) -> None:
        back = self._journal.clock_went_back
        if back > _CLOCK_TOLERANCE:
            progress.warn(f"the clock is {back} behind the last look; waits are counted on from here")

    def _check_service(self) -> None:
        if not self._is_local:
            return
        try:
            self._service.plan()
        except NoriaError as error:
            progress.warn(error.what)
            self.messenger.send("service down", f"{self._use_case.name}: {error.what}\npython run.py deploy")

    def _note_failure(self, error: Exception) -> None:
        code = error.code if isinstance(error, NoriaError) else type(error).__name__
        try:
            self._journal.append("look_failed", name=code, why=[describe(error)])
        except NoriaError as unwritable:
            progress.warn(unwritable.what)
        self.messenger.send(f"look failed {code}", failure_message(self._use_case.name, error))
