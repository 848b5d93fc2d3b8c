"""A service and a trainer that live in a folder, so that they outlive a process that is killed."""

import json
import os
import signal
from datetime import timedelta
from pathlib import Path

from scenes import NOW, evidence

from app.loop.runner import LoopRunner
from app.loop.trainer import TrainedVersion
from noria.config.loop import LoopActions, LoopConfig, RolloutRoute
from noria.config.serving import CanaryConfig
from noria.loop import Decision, Journal, LoopState, carry_on, choose
from noria.loop.actions import begin
from noria.traffic import plan_transforms
from noria.traffic.activation import CanaryState, PlannedVariant, TrafficPlan
from tests.traffic.plans import PROBLEM

BY_ITSELF = LoopActions(retrain="do", shadow="do", canary="do", promote="do", roll_back="do", fall_back_to_rules="do")
CONFIG = LoopConfig(actions=BY_ITSELF, route=RolloutRoute(shadow_hours=1), cooldown_days=0)
CANARY = CanaryConfig(steps=[0.5])


class Trainer:
    """Trains by writing a file; `promote` is what its gate says."""

    def __init__(self, folder: Path, promote: str = "challenger") -> None:
        self._folder = folder / "trainings"
        self._folder.mkdir(exist_ok=True)
        self._promote = promote

    def find(self, action: str) -> TrainedVersion | None:
        file = self._folder / action
        return TrainedVersion(**json.loads(file.read_text())) if file.exists() else None

    def train(self, action: str) -> TrainedVersion:
        version = str(2 + len(self.trained))
        trained = TrainedVersion(version, "tree", self._promote, "so it was judged", f"training-{action}", "")
        part = self._folder.parent / "training.part"
        part.write_text(json.dumps(vars(trained)))
        part.replace(self._folder / action)
        return trained

    @property
    def trained(self) -> list[str]:
        return sorted(each.name for each in self._folder.iterdir())


class Service:
    """A traffic plan in a file; the canary does well at once, unless it is said to fail. Registries are a file, too."""

    def __init__(self, folder: Path, *, fails: bool = False) -> None:
        self._file, self._registry, self._fails = folder / "plan.json", folder / "champion", fails
        if not self._file.exists():
            self._write(TrafficPlan.of(folder / "1", "1"))
            self._registry.write_text("1")

    @property
    def registered(self) -> str:
        return self._registry.read_text()

    def plan(self) -> TrafficPlan:
        plan = TrafficPlan.model_validate_json(self._file.read_text())
        if plan.canary is None:
            return plan
        if self._fails:
            self._write(plan_transforms.without(plan, plan.canary.variant))
            return self.plan()
        return plan_transforms.with_canary(plan, plan.canary.model_copy(update={"ready": True}))

    def is_rules(self) -> bool:
        return bool(self.plan().champion.version == "rules")

    def error_rate(self, version: str) -> float | None:
        return 0.0

    def shadow(self, version: str) -> None:
        plan = plan_transforms.with_variant(self.plan(), self._variant(version, 0.0))
        self._write(plan_transforms.with_shadow(plan, version))

    def canary(self, version: str) -> None:
        plan = self.plan()
        if plan.find(version) is None:
            plan = plan_transforms.with_variant(plan, self._variant(version, 0.0))
        state = CanaryState(variant=version, plan=CANARY, problem=PROBLEM, metric="roc_auc")
        self._write(plan_transforms.with_canary(plan, state))

    def withdraw(self, version: str) -> None:
        self._write(plan_transforms.without(self.plan(), version))

    def promote(self, version: str) -> None:
        plan = plan_transforms.with_champion(self.plan(), self._variant(version, 1.0))
        self._write(plan_transforms.drop_unused(plan))
        point("between service and registry")
        self._registry.write_text(version)

    def roll_back(self) -> None:
        self._write(TrafficPlan.of(self._file.parent / "0", "0"))
        self._registry.write_text("0")

    def last_change(self) -> str:
        return "taken back" if self._fails else ""

    def _variant(self, version: str, share: float) -> PlannedVariant:
        return PlannedVariant(name=version, bundle=self._file.parent / version, version=version, share=share)

    def _write(self, plan: TrafficPlan) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(plan.model_dump_json())
        part.replace(self._file)


class Points:
    """Counts the places that processes pass, one after the other, and kills the one that comes to a certain place."""

    def __init__(self) -> None:
        self.file: Path | None = None
        self.kill_at = 0

    def __call__(self, name: str) -> None:
        if self.file is None:
            return
        passed = self.passed + 1
        self.file.write_text(str(passed))
        if passed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    @property
    def passed(self) -> int:
        return int(self.file.read_text()) if self.file is not None and self.file.exists() else 0


point = Points()


def turn(folder: Path, kill_at: int, promote: str, canary: str, first: str) -> None:
    """What `watch` does at one look, an hour after the last: carry on, decide, act."""
    point.file, point.kill_at = folder / "points", kill_at
    looks = folder / "looks"
    now = NOW + timedelta(hours=len(looks.read_text()) if looks.exists() else 0)
    looks.open("a").write(".")
    journal = Journal(folder / "journal.jsonl", lambda: now)
    service = Service(folder, fails=canary == "fails")
    runner = LoopRunner(Trainer(folder, promote), service, CONFIG, CANARY)
    carry_on(journal, runner, CONFIG, point)
    for _ in range(3):
        state, version = LoopState.of(journal), service.plan().champion.version
        if state.open is not None:
            return
        decision, waiting = _decision(state, version, first)
        point("decided")
        if decision.action == "nothing":
            (folder / "at rest").touch()
            return
        begin(journal, decision, version, waiting)
        point("action begun")
        carry_on(journal, runner, CONFIG, point)


def _decision(state: LoopState, version: str, first: str) -> tuple[Decision, str]:
    """Version 1 gives a reason for the first action; later versions, and what has been tried, are left alone."""
    waiting = state.waiting(version)
    is_new = version == "1" and state.latest(first) is None
    reason = {
        "roll_back": {"worse_than_previous": "worse"},
        "fall_back_to_rules": {"causes": {"worse_than_rules": "by 5"}},
    }.get(first, {})
    known = evidence(
        "retrain" if is_new and first == "retrain" else "ok",
        version=version,
        waiting=waiting.version if waiting is not None else "",
        **(reason if version == "1" else {}),
    )
    return choose(known, CONFIG), known.waiting
