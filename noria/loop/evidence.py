"""What a decision of the loop rests on."""

from datetime import datetime, timedelta

from noria.config.loop import LoopConfig
from noria.config.section import Section
from noria.loop.journal import Journal
from noria.loop.loop_state import ActionRecord, LoopState
from noria.monitoring.verdict import MonitoringVerdict

_DATA_FAULTS = frozenset({"data_fault", "feed_stopped"})


class ExpectedGain(Section):
    """What a retraining is expected to bring in until the horizon, in `problem.unit`."""

    total: float
    """The estimate."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end of its interval."""
    why: str
    """How it was estimated, in a plain sentence."""
    pays: bool | None = None
    """Whether now is the best moment for a retraining, with price, budget and later moments in mind; None: that was not
    planned, and the estimate is compared with the price."""


class Evidence(Section):
    """All that a decision rests on."""

    at: datetime
    """When it was gathered (UTC)."""
    version: str
    """Version in service."""
    is_rules: bool = False
    """Whether the rules answer already."""
    verdict: str
    """`ok`, `watch`, `retrain` or `fix_data`."""
    confident: bool
    """False for an `ok` that rests on too little."""
    reasons: list[str]
    """The reasons of the verdict."""
    causes: dict[str, str] = {}
    """Kind of what was found, such as `data_fault` or `worse_than_rules` → the finding in a sentence."""
    moved: list[str] = []
    """Input columns that moved."""
    labels: int = 0
    """Labelled predictions that were looked at."""
    overdue: int = 0
    """Predictions that should have their label by now and have none."""
    unknown_quality: str = ""
    """Why no figure for all cases can be given, as labels come for some decisions only; empty: it can."""
    gain: ExpectedGain | None = None
    """Of a retraining; None: it cannot be estimated."""
    new_data: bool | None = None
    """Whether data, configuration or code differ from those of the last training; None: not known."""
    retrainings: int = 0
    """Retrainings within the period of the budget."""
    rested_days: float | None = None
    """Days since the last retraining began; None: there was none."""
    fruitless: list[str] = []
    """Why each of the latest retrainings in a row did not help, one sentence each."""
    waiting: str = ""
    """A version that has passed the gate and is not in service yet; empty: none."""
    worse_than_previous: str = ""
    """How much worse the model is than the one before it, as a sentence; empty: it is not, or that is not known."""
    rules_won: str = ""
    """Why the last training said that the rules suffice; empty: it did not."""

    @property
    def is_data_fault(self) -> bool:
        """Whether the data are broken, so that nothing should be learned from them."""
        return self.verdict == "fix_data" or bool(_DATA_FAULTS & self.causes.keys())


def evidence_of(
    verdict: MonitoringVerdict,
    journal: Journal,
    config: LoopConfig,
    *,
    gain: ExpectedGain | None = None,
    new_data: bool | None = None,
    is_rules: bool = False,
) -> Evidence:
    """Gather what a decision rests on.

    Args:
        verdict: the newest.
        journal: of the loop.
        config: the period of the budget.
        gain: what a retraining is expected to bring in.
        new_data: whether data, configuration or code differ from those of the last training.
        is_rules: whether the rules answer already.
    """
    state, version = LoopState.of(journal), verdict.version
    last, waiting = state.latest("retrain"), state.waiting(version)
    return Evidence(
        at=verdict.at,
        version=version,
        is_rules=is_rules,
        verdict=verdict.verdict,
        confident=verdict.confident,
        reasons=verdict.reasons,
        causes=_causes(verdict),
        moved=[column.name for column in verdict.drift.moved] if verdict.drift is not None else [],
        labels=verdict.performance.labels,
        overdue=verdict.performance.overdue,
        unknown_quality=next((each.sentence for each in verdict.causes if each.kind == "labels_partial"), ""),
        gain=gain,
        new_data=new_data,
        retrainings=state.retrainings(journal, timedelta(days=config.budget.days)),
        rested_days=None if last is None else journal.elapsed(last.begun) / timedelta(days=1),
        fruitless=[in_vain(each) for each in state.fruitless(version)],
        waiting=waiting.version if waiting is not None else "",
        worse_than_previous=_worse_than_previous(verdict, state.rolled_back),
        rules_won=_rules_won(last, version),
    )


def _causes(verdict: MonitoringVerdict) -> dict[str, str]:
    """The causes that monitoring names, the weightiest of each kind; without those that are only worth knowing.

    A fault of the data that a person should only look at, such as one day without rows, keeps nothing from being
    learned.
    """
    found = [
        each
        for each in verdict.causes
        if each.severity == "fix_data" or (each.kind not in _DATA_FAULTS and each.severity != "ok")
    ]
    return {each.kind: each.sentence for each in reversed(found)}


def lost_worth(verdict: MonitoringVerdict, cases_per_day: float, horizon_days: float) -> ExpectedGain | None:
    """What the model brings in less than on its test rows, until the horizon: about what a retraining can win back.

    It is the most that can be hoped for if the world has changed for good, and says nothing of what more rows teach.

    Args:
        verdict: with the worth of 1,000 decisions, now and on the test rows.
        cases_per_day: how many are decided.
        horizon_days: for how long.

    Returns:
        None if too few labels are known to measure the worth.
    """
    worth = verdict.performance.worth
    if worth is None:
        return None
    cases = cases_per_day * horizon_days
    total, low, high = (max(worth.before - value, 0.0) * cases / 1000 for value in (worth.now, worth.high, worth.low))
    why = (
        f"1,000 decisions bring in {worth.now:,.4g} now and {worth.before:,.4g} on the test rows; "
        f"about {cases:,.0f} decisions are expected in {horizon_days:g} days"
    )
    return ExpectedGain(total=total, low=low, high=high, why=why)


def in_vain(record: ActionRecord) -> str:
    """When a retraining was tried, what it made, and why it did not help."""
    said = record.ended.why[0] if record.ended is not None and record.ended.why else "it did not help"
    made = f"version {record.version}" if record.facts.get("version") or record.name == "introduce" else "no version"
    return f"{record.begun.at:%Y-%m-%d}, {made}: {said}"


def _worse_than_previous(verdict: MonitoringVerdict, rolled_back: frozenset[str]) -> str:
    """That the model before would do better on the same cases.

    Where the model before was itself rolled back, nothing is said: the two would take turns.
    """
    before = verdict.previous
    if before is None or not before.worse or before.version in rolled_back:
        return ""
    return next((each.sentence for each in verdict.causes if each.kind == "worse_than_previous"), "")


def _rules_won(last: ActionRecord | None, version: str) -> str:
    if last is None or last.begun.facts.get("in_service") != version or last.facts.get("promote") != "rules":
        return ""
    return last.facts.get("reason", "the rules are as good as any model")
