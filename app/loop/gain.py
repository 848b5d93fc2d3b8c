"""What a retraining is expected to bring in: from trials where that is possible, else from what the model has lost."""

from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from app.commands.pipeline_runs import read_with_rules
from app.environment import zenml_client
from app.stacks.registration import stack_for_one_run
from noria.config import UseCase
from noria.config.section import Section
from noria.loop import ExpectedGain, lost_worth
from noria.loop.backtest import TrialCache
from noria.monitoring.verdict import MonitoringVerdict
from noria.predictions import PredictionStore
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.workspace import Workspace


class _Kept(Section):
    """The last trials, so that they run once for each period."""

    version: str
    """The champion then."""
    period: str
    """When the newest period began."""
    terms: list[float]
    """Price, horizon, length of a period and retrainings left: what the plan depends on besides the trials."""
    gain: ExpectedGain | None
    """None: it could not be compared."""


def expected_gain(
    use_case: UseCase, stack: str | None, verdict: MonitoringVerdict, retrainings_left: int, cache: TrialCache
) -> ExpectedGain | None:
    """What a retraining is expected to bring in until `loop.horizon_days`; None: too little is known.

    Args:
        use_case: its section `loop` says whether trials run.
        stack: whose champion.
        verdict: the newest; its time is the moment of asking.
        retrainings_left: of the budget.
        cache: trials of earlier looks of this process.
    """
    loop = use_case.loop
    if loop.price > 0 and loop.trial_days > 0 and use_case.data.time is not None and _all_alike(use_case, verdict):
        try:
            found = _from_trials(use_case, stack, verdict, retrainings_left, cache)
        except NoriaError as error:
            progress.warn(f"no trial could be made: {error.what}")
            found = None
        if found is not None:
            return found
    return lost_worth(verdict, _cases_per_day(use_case, verdict), use_case.loop.horizon_days)


def _all_alike(use_case: UseCase, verdict: MonitoringVerdict) -> bool:
    """Whether trials judge a fair sample: not where the table grows by cases whose labels come for some decisions."""
    grows = any(source.kind == "predictions" for source in use_case.data.sources)
    return not grows or verdict.performance.coverage is None


def _from_trials(
    use_case: UseCase, stack: str | None, verdict: MonitoringVerdict, retrainings_left: int, cache: TrialCache
) -> ExpectedGain | None:
    from noria.loop.backtest import newest_period

    length = timedelta(days=use_case.loop.trial_days)
    period = newest_period(use_case, verdict.at, length).isoformat()
    file = Workspace(use_case.name).folder / "loop" / "trials.json"
    loop = use_case.loop
    terms = [loop.price, loop.horizon_days, loop.trial_days, float(retrainings_left)]
    kept = _read(file)
    if kept is None or (kept.version, kept.period, kept.terms) != (verdict.version, period, terms):
        gain = _try(use_case, stack, verdict, retrainings_left, cache)
        kept = _Kept(version=verdict.version, period=period, terms=terms, gain=gain)
        write_text(file, kept.model_dump_json(indent=1))
    return kept.gain


def _try(
    use_case: UseCase, stack: str | None, verdict: MonitoringVerdict, retrainings_left: int, cache: TrialCache
) -> ExpectedGain | None:
    from noria.data.validation import validate
    from noria.history import add_history
    from noria.loop.backtest import backtest, planned_gain
    from steps.shared.champion import require_champion

    zenml_client()
    known, table = read_with_rules(use_case, verdict.at)
    rows = add_history(validate(table, known).frame, known)  # the recipe's inputs hold these features
    with stack_for_one_run(stack):
        champion = require_champion(use_case.name)
    length = timedelta(days=use_case.loop.trial_days)
    found = backtest(champion, rows, known, verdict.at, length=length, cache=cache)
    if found is None:
        return None
    progress.stage("trials", f"{found.fits} models of the same recipe on {len(found.starts)} periods")
    return planned_gain(found, verdict.version, use_case.loop, retrainings_left)


def _cases_per_day(use_case: UseCase, verdict: MonitoringVerdict) -> float:
    """By the days of the cases as monitoring has seen them; with few of them or a sample, by the store."""
    whole = [day.rows for day in verdict.days[1:-1]]
    # verdicts of earlier versions counted the days of a sample
    counted = verdict.sampled is not None or sum(day.rows for day in verdict.days) < use_case.monitoring.max_rows
    if whole and counted:
        return sum(whole) / len(whole)
    store = PredictionStore(Workspace(use_case.name).predictions_url)
    try:
        predictions, first, last = store.case_span(verdict.version)
    finally:
        store.close()
    if first is None or last is None:
        return 0.0
    return predictions / max((last - first) / timedelta(days=1), 1.0)


def _read(file: Path) -> _Kept | None:
    try:
        return _Kept.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):  # it only costs the trials again
        return None
