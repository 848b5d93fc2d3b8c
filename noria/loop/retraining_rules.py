"""When a retraining is due: the rules, in their order, each with its figures in a sentence."""

from noria.config.loop import LoopConfig
from noria.loop.evidence import Evidence

Rule = tuple[str, str]
"""The name of a rule, and what it says."""


def retraining_rules(evidence: Evidence, config: LoopConfig) -> tuple[Rule | None, list[Rule]]:
    """The first rule against a retraining (None: there is none), and the rules before it, which are for one.

    The decision between gain and price is that of an investment: it pays if what it brings in until the horizon is more
    than it costs. With no price set, the verdict of monitoring decides.
    """
    passed: list[Rule] = []
    for name, rule in _RULES.items():
        is_against, text = rule(evidence, config)
        if is_against:
            return (name, text), passed
        passed.append((name, text))
    return None, passed


def cooldown_days(evidence: Evidence, config: LoopConfig) -> float:
    """How many days a retraining rests; each one in a row that did not help doubles it.

    >>> from datetime import UTC, datetime
    >>> known = dict(at=datetime(2026, 1, 5, tzinfo=UTC), version="3", verdict="retrain", confident=True, reasons=[])
    >>> cooldown_days(Evidence(**known, fruitless=["a", "b"]), LoopConfig(cooldown_days=3))
    12.0
    """
    return float(config.cooldown_days * 2 ** min(len(evidence.fruitless), 10))


def _verdict(evidence: Evidence, config: LoopConfig) -> tuple[bool, str]:
    said = f"The verdict is `{evidence.verdict}`: {evidence.reasons[0] if evidence.reasons else 'no reason is given'}"
    if evidence.verdict == "retrain":
        return False, said
    gain = evidence.gain
    if gain is None or config.price == 0:
        return True, said
    return not (gain.low > config.price if gain.pays is None else gain.pays), said


def _allowed(evidence: Evidence, config: LoopConfig) -> tuple[bool, str]:
    never = config.actions.retrain == "never"
    return never, f"loop.actions.retrain is `{config.actions.retrain}`."


def _new_data(evidence: Evidence, config: LoopConfig) -> tuple[bool, str]:
    if evidence.new_data is False:
        return True, "A retraining would learn the same again: data, configuration and code have not changed."
    return False, "There is something new to learn." if evidence.new_data else "The last training is not known."


def _fruitless(evidence: Evidence, config: LoopConfig) -> tuple[bool, str]:
    if not evidence.fruitless:
        return False, "No retraining of this model was in vain."
    tried = f"Retraining was tried and did not help ({evidence.fruitless[-1]})"
    days, rested = cooldown_days(evidence, config), evidence.rested_days
    if evidence.new_data is False:
        return True, f"{tried}, and nothing has changed since."
    if rested is not None and rested < days:
        return True, f"{tried}; the next one is due {days:g} days after it, {rested:.1f} have passed."
    return False, f"{tried}; {days:g} days have passed since, and there are new rows."


def _cooldown(evidence: Evidence, config: LoopConfig) -> tuple[bool, str]:
    rested = evidence.rested_days
    if rested is None:
        return False, "The loop has not retrained before."
    text = f"The last retraining began {rested:.1f} days ago, loop.cooldown_days is {config.cooldown_days:g}."
    return rested < config.cooldown_days, text


def _budget(evidence: Evidence, config: LoopConfig) -> tuple[bool, str]:
    budget = config.budget
    text = f"{evidence.retrainings} of {budget.retrainings} retrainings within {budget.days:g} days are used."
    return evidence.retrainings >= budget.retrainings, text


def _gain_unknown(evidence: Evidence, config: LoopConfig) -> tuple[bool, str]:
    if config.price == 0 or evidence.gain is not None:
        return False, "The gain of a retraining is known." if evidence.gain is not None else "No price is set."
    text = f"A retraining costs {config.price:g}, and its gain is not known: {evidence.labels:,} labels are too few."
    return True, text


def _gain(evidence: Evidence, config: LoopConfig) -> tuple[bool, str]:
    gain = evidence.gain
    if gain is None or config.price == 0:
        return False, f"{_verdict(evidence, config)[1]} No price is set, so the verdict decides."
    figures = (
        f"{gain.total:,.4g} ({gain.low:,.4g} to {gain.high:,.4g}) until the horizon of {config.horizon_days:g} days"
    )
    relation = "more" if gain.total > config.price else "not more"
    text = f"A retraining is expected to bring in {figures}, {relation} than its price of {config.price:g}: {gain.why}."
    return (gain.total <= config.price if gain.pays is None else not gain.pays), text


_RULES = {
    "verdict": _verdict,
    "allowed": _allowed,
    "fruitless": _fruitless,
    "new_data": _new_data,
    "cooldown": _cooldown,
    "budget": _budget,
    "gain_unknown": _gain_unknown,
    "gain": _gain,
}
