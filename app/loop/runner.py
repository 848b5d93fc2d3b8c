"""Performs the steps of the loop's actions. Each looks first whether it is done, since it may be called again."""

from datetime import timedelta

from app.loop.service import LoopService
from app.loop.trainer import Trainer
from noria.config.loop import LoopConfig
from noria.config.serving import CanaryConfig
from noria.loop import ActionRecord, StepResult
from noria.system.errors import NoriaError
from noria.traffic.activation import PlannedVariant, TrafficPlan

_DONE = StepResult("done")


class LoopRunner:
    """The steps of a retraining, of a rollout, of a rollback and of a fallback to the rules."""

    def __init__(self, trainer: Trainer, service: LoopService, loop: LoopConfig, canary: CanaryConfig) -> None:
        self._trainer = trainer
        self._service = service
        self._loop = loop
        self._bounds = canary

    def perform(self, step: str, action: ActionRecord, lasted: timedelta) -> StepResult:
        """Perform a step, or the rest of it.

        Raises:
            NoriaError: it failed.
        """
        steps = {
            "train": self._train,
            "gate": self._gate,
            "shadow": self._shadow,
            "observe_shadow": self._observe_shadow,
            "canary": self._canary,
            "observe_canary": self._observe_canary,
            "promote": self._promote,
            "roll_back": self._roll_back,
            "fall_back_to_rules": self._fall_back_to_rules,
        }
        return steps[step](action, lasted)

    def undo(self, action: ActionRecord) -> None:
        """Take a version out of the service that an action has brought there, unless it is the champion by now."""
        if action.name == "introduce" and _challenger(self._service.plan(), action.version) is not None:
            self._service.withdraw(action.version)

    def _train(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        found = self._trainer.find(action.id)
        if found == "running":
            return StepResult("wait", "the training runs elsewhere")
        trained = found or self._trainer.train(action.id)
        facts = {
            "version": trained.version,
            "kind": trained.kind,
            "promote": trained.promote,
            "reason": trained.reason,
            "run": trained.run,
            "report": trained.report,
            "trained": "yes" if trained.run else "no",
            **({"window": trained.window} if trained.window else {}),
        }
        return StepResult("done", f"version {trained.version} ({trained.kind})", facts)

    def _gate(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        """The verdict of the gate is part of the training; here it decides how the action goes on."""
        passed = action.facts["promote"] == "challenger"
        return StepResult("done" if passed else "lost", action.facts["reason"])

    def _shadow(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        plan, version = self._service.plan(), action.version
        if not _is_champion(plan, version) and _challenger(plan, version) is None:
            self._service.shadow(version)
        return _DONE

    def _observe_shadow(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        plan, version = self._service.plan(), action.version
        if _is_champion(plan, version):
            return _DONE
        if _challenger(plan, version) is None:
            return self._taken_out(version)
        rate = self._service.error_rate(version)
        if rate is not None and rate > self._bounds.max_error_rate:
            return StepResult("lost", f"version {version} failed to answer {rate:.1%} of its cases as a shadow")
        hours, wanted = lasted / timedelta(hours=1), self._loop.route.shadow_hours
        if hours < wanted:
            return StepResult("wait", f"version {version} is a shadow for {hours:.1f} of {wanted:g} hours")
        return StepResult("done", f"{wanted:g} hours as a shadow without too many errors")

    def _canary(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        plan, version = self._service.plan(), action.version
        if not _is_champion(plan, version) and not _is_canary(plan, version):
            self._service.canary(version)
        return _DONE

    def _observe_canary(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        plan, version = self._service.plan(), action.version
        if _is_champion(plan, version):
            return _DONE
        if plan.canary is None or not _is_canary(plan, version):
            return self._taken_out(version)
        if plan.canary.ready:
            return StepResult("done", f"version {version} did well on every step of the canary")
        step, steps = plan.canary.step + 1, len(plan.canary.plan.steps)
        return StepResult("wait", f"version {version} is on step {step} of {steps} of its canary")

    def _promote(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        """The service may have changed without the registries, so both are asked for; that changes nothing twice."""
        self._service.promote(action.version)
        return StepResult("done", f"version {action.version} is the champion")

    def _roll_back(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        before = action.begun.facts["in_service"]
        if self._service.plan().champion.version == before:
            self._service.roll_back()
        after = self._service.plan().champion.version
        if after == before:
            raise NoriaError(
                f"version {before} still answers after the rollback",
                code="loop.rollback_without_effect",
                fix="name the version that should answer: `python run.py promote --version N`",
            )
        return StepResult("done", f"version {after} answers in place of version {before}")

    def _fall_back_to_rules(self, action: ActionRecord, lasted: timedelta) -> StepResult:
        self._service.promote("rules")
        return StepResult("done", "the rules answer")

    def _taken_out(self, version: str) -> StepResult:
        change = self._service.last_change()
        return StepResult(
            "lost", f"version {version} was taken out of the service" + (f" ({change})" if change else "")
        )


def _is_champion(plan: TrafficPlan, version: str) -> bool:
    return plan.champion.version == version


def _challenger(plan: TrafficPlan, version: str) -> PlannedVariant | None:
    return next((each for each in plan.variants[1:] if each.version == version), None)


def _is_canary(plan: TrafficPlan, version: str) -> bool:
    variant = _challenger(plan, version)
    return plan.canary is not None and variant is not None and plan.canary.variant == variant.name
