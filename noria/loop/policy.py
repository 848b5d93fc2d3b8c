"""From evidence to a decision, with every rule that was looked at."""

from typing import Literal

from noria.config.loop import LoopConfig, Mode
from noria.config.section import Section
from noria.loop.evidence import Evidence
from noria.loop.retraining_rules import retraining_rules
from noria.system.shell_commands import run_py

ActionName = Literal["nothing", "alert", "ask_for_labels", "retrain", "introduce", "roll_back", "fall_back_to_rules"]


class RuleResult(Section):
    """One rule, and what it said."""

    rule: str
    """Its name, as docs/loop.md lists it."""
    decides: bool
    """Whether the decision follows from it."""
    text: str
    """What it says, with the figures, in a plain sentence."""


class Decision(Section):
    """What to do now, and why."""

    action: ActionName
    mode: Mode = "do"
    """Whether it is done by itself (`do`), or a person is asked to do it (`propose`)."""
    why: list[RuleResult]
    """The rules that were looked at, in their order; the last one decides."""
    advice: str = ""
    """What a person can do, in words."""
    command: str = ""
    """The command that does it; empty: none is needed."""
    also: "Decision | None" = None
    """What is proposed to a person at the same time: it need not wait for the action, nor the action for it."""

    @property
    def reason(self) -> str:
        """The sentence of the rule that decides."""
        return self.why[-1].text


def choose(evidence: Evidence, config: LoopConfig) -> Decision:
    """Decide what to do. The first rule that decides ends the search; docs/loop.md lists them in this order.

    Args:
        evidence: what is known.
        config: prices, budget, and what is done by itself.

    >>> from datetime import UTC, datetime
    >>> evidence = Evidence(
    ...     at=datetime(2026, 1, 5, tzinfo=UTC), version="3", verdict="ok", confident=True, reasons=["All is well."]
    ... )
    >>> choose(evidence, LoopConfig()).action
    'nothing'
    """
    looked_at: list[RuleResult] = []
    for rule in (_data_fault, _worse_than_rules, _worse_than_previous, _waiting_version):
        found = rule(evidence, config)
        if found is not None:
            found = found.model_copy(update={"why": [*looked_at, *found.why]})
            return _beside_a_proposal(found, evidence, config)
        looked_at.append(RuleResult(rule=_name(rule), decides=False, text=_NOT[_name(rule)]))
    refusal, passed = retraining_rules(evidence, config)
    looked_at += [RuleResult(rule=rule, decides=False, text=text) for rule, text in passed]
    if refusal is None:
        return _retraining(config, passed[-1][1], looked_at[:-1])
    return _without_retraining(evidence, config, *refusal, looked_at)


_NOT = {
    "data_fault": "No fault of the data was found.",
    "worse_than_rules": "Nothing says that the rules would do better.",
    "worse_than_previous": "Nothing says that the model before it did better.",
    "waiting_version": "No new version waits for its way into service.",
}


def _name(rule: object) -> str:
    return str(getattr(rule, "__name__", "")).lstrip("_")


def _decided(
    action: ActionName,
    mode: Mode,
    rule: str,
    text: str,
    *,
    before: list[RuleResult] | None = None,
    command: str = "",
    advice: str = "",
) -> Decision:
    why = [*(before or []), RuleResult(rule=rule, decides=True, text=text)]
    return Decision(action=action, mode=mode, why=why, command=command, advice=advice)


def _retraining(config: LoopConfig, text: str, before: list[RuleResult]) -> Decision:
    return _decided("retrain", config.actions.retrain, "gain", text, before=before, command="python run.py train")


def _beside_a_proposal(found: Decision, evidence: Evidence, config: LoopConfig) -> Decision:
    """A proposal that a person may leave open for long must not keep a better model from being made and put in."""
    if found.mode != "propose" or found.action not in ("roll_back", "fall_back_to_rules"):
        return found
    introduction = _waiting_version(evidence, config)
    if introduction is not None:
        why = [*(each.model_copy(update={"decides": False}) for each in found.why), *introduction.why]
        return introduction.model_copy(update={"why": why, "also": found})
    refusal, passed = retraining_rules(evidence, config)
    if refusal is not None or config.actions.retrain != "do":
        return found
    before = [RuleResult(rule=each.rule, decides=False, text=each.text) for each in found.why]
    before += [RuleResult(rule=rule, decides=False, text=text) for rule, text in passed[:-1]]
    return _retraining(config, passed[-1][1], before).model_copy(update={"also": found})


def _data_fault(evidence: Evidence, config: LoopConfig) -> Decision | None:
    if not evidence.is_data_fault:
        return None
    found = evidence.causes.get("data_fault") or evidence.causes.get("feed_stopped") or evidence.reasons[0]
    text = f"The data are broken, and nothing is learned from them: {found}"
    return _decided(
        "alert", "do", "data_fault", text, advice="Ask who delivers the data.", command="python run.py dashboard"
    )


def _worse_than_rules(evidence: Evidence, config: LoopConfig) -> Decision | None:
    if evidence.is_rules or config.actions.fall_back_to_rules == "never":
        return None
    if evidence.rules_won:
        text = f"The last training found that the rules suffice: {evidence.rules_won}"
    elif "worse_than_rules" in evidence.causes:
        text = f"The model has become worse than the rules: {evidence.causes['worse_than_rules']}"
    elif "disqualified" in evidence.causes:
        text = f"The model must not stay in service: {evidence.causes['disqualified']}"
    else:
        return None
    return _decided(
        "fall_back_to_rules",
        config.actions.fall_back_to_rules,
        "worse_than_rules",
        text,
        advice="Let the rules answer until a model beats them again.",
        command="python run.py promote --version rules",
    )


def _worse_than_previous(evidence: Evidence, config: LoopConfig) -> Decision | None:
    if not evidence.worse_than_previous or config.actions.roll_back == "never":
        return None
    return _decided(
        "roll_back",
        config.actions.roll_back,
        "worse_than_previous",
        evidence.worse_than_previous,
        advice="Restore what answered before.",
        command="python run.py rollback",
    )


def _waiting_version(evidence: Evidence, config: LoopConfig) -> Decision | None:
    if not evidence.waiting:
        return None
    mode, command = _first_step(evidence.waiting, config)
    if mode == "never":
        return None
    return _decided(
        "introduce",
        mode,
        "waiting_version",
        f"Version {evidence.waiting} has passed the gate and is not in service yet.",
        advice=f"Put version {evidence.waiting} into service.",
        command=command,
    )


def _first_step(version: str, config: LoopConfig) -> tuple[Mode, str]:
    if config.route.shadow_hours > 0:
        return config.actions.shadow, run_py("traffic --shadow", version)
    if config.route.canary:
        return config.actions.canary, run_py("traffic --canary", version)
    return config.actions.promote, run_py("promote --version", version)


def _without_retraining(
    evidence: Evidence, config: LoopConfig, rule: str, text: str, before: list[RuleResult]
) -> Decision:
    """What is left where no retraining is due: a message, a request for labels, or nothing."""
    can_ask = config.actions.ask_for_labels != "never"
    if rule == "verdict" and evidence.overdue and not evidence.confident and can_ask:
        rule = "labels_missing"
        text = f"The verdict needs labels: {evidence.overdue:,} predictions should have one by now and have none."
    if evidence.unknown_quality and rule in ("verdict", "gain_unknown") and evidence.verdict != "watch" and can_ask:
        mode, advice = config.actions.ask_for_labels, "Ask people for the labels of cases drawn at random."
        command = "python run.py label --random 1"
        text = evidence.unknown_quality
        return _decided("ask_for_labels", mode, "labels_partial", text, before=before, command=command, advice=advice)
    if rule in ("labels_missing", "gain_unknown") and can_ask:
        advice = (
            "Hand in the true labels that are known by now (monitor --labels FILE), or ask people for those that teach "
            "most."
        )
        mode = config.actions.ask_for_labels
        return _decided("ask_for_labels", mode, rule, text, before=before, command="python run.py label", advice=advice)
    if rule in _INSTEAD and (rule != "verdict" or evidence.verdict == "watch"):
        advice, command = _INSTEAD[rule]
        advice = other_advice(evidence) if rule == "fruitless" else advice
        return _decided("alert", "do", rule, text, before=before, command=command, advice=advice)
    return _decided("nothing", "do", rule, text, before=before)


_INSTEAD = {
    "verdict": ("Look at what moved, and ask those who know the data why.", "python run.py dashboard"),
    "fruitless": ("", "python run.py dashboard"),
    "new_data": ("Bring the newest rows with their labels into the data.", "python run.py train"),
    "gain": ("Look at the reasons, and at what the model still brings in.", "python run.py dashboard"),
    "budget": ("Train by hand, or raise loop.budget, if that is worth it.", "python run.py train"),
}
"""Rule against a retraining → what to advise in its place, and the command."""


def other_advice(evidence: Evidence) -> str:
    """What to do about a model that a retraining did not make better."""
    found = []
    if evidence.moved:
        named = ", ".join(evidence.moved[:3])
        found.append(f"ask those who know the data why {named} moved, and whether a new column would tell more")
    if evidence.overdue:
        found.append(f"hand in the {evidence.overdue:,} overdue labels, so that the newest rows can be learned")
    if not found:
        found.append("look for columns that explain the newest errors in the model report")
    found.append("let the decision threshold follow (traffic --threshold), or the rules answer")
    return f"Training again would say the same. Instead: {'; '.join(found)}."
