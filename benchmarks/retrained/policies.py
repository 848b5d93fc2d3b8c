"""Who retrains when: by calendar, on an alarm, or when it pays. Each look knows only the labels that have come."""

import numpy as np

from benchmarks.retrained.cases import Case
from benchmarks.retrained.stream import Stream
from noria.loop.replay.alarms import Adwin
from noria.loop.retraining_gain import decide_retraining

_MOVED = 0.1
"""Evidently's threshold of the Wasserstein distance, in standard deviations."""
_DRIFT_SHARE = 0.5
"""Evidently's share of drifted columns from which the table has drifted."""
_SAMPLE = 20_000


def by_calendar(periods: int, every: int) -> tuple[int, ...]:
    """Each so many periods."""
    return tuple(range(every, periods, every))


def when_it_pays(stream: Stream, price: float, budget: int | None = None) -> tuple[tuple[int, ...], int]:
    """Noria's policy: its moments, and how many models it fitted for trial only."""
    champion, moments, trials = 0, [], 0
    for now in range(1, stream.periods):
        trials += champion != now - 1  # the champion itself is the newest model otherwise
        left = None if budget is None else budget - len(moments)
        if decide_retraining(stream.history(now, champion), price, stream.periods - now, left).retrain:
            moments.append(now)
            champion = now
    return tuple(moments), trials


def on_errors(case: Case, found: np.ndarray) -> tuple[int, ...]:
    """At the look after ADWIN finds that the champion's errors have risen."""
    champion, moments, alarm = 0, [], Adwin()
    size = 1.0 if case.binary else float(np.ptp(case.truth[case.known <= 0]))
    for now in range(1, case.periods):
        rows = np.flatnonzero((case.known == now) & (case.period >= 0) & np.isfinite(found[champion]))
        errors = np.minimum(np.abs(found[champion, rows] - case.truth[rows]) / size, 1.0)
        if alarm.add(errors):
            moments.append(now)
            champion, alarm = now, Adwin()
    return tuple(moments)


def on_drifted_columns(case: Case) -> tuple[int, ...]:
    """At the look at which half of the columns of the newest period lie far from the rows the champion learned."""
    from scipy.stats import wasserstein_distance

    moments: list[int] = []
    random, values = np.random.default_rng(7), case.inputs.to_numpy(dtype=np.float64)
    champion = 0
    for now in range(1, case.periods):
        learned, newest = np.flatnonzero(case.known <= champion), np.flatnonzero(case.period == now - 1)
        before, after = (
            values[random.choice(rows, _SAMPLE, replace=False) if len(rows) > _SAMPLE else rows]
            for rows in (learned, newest)
        )
        moved = 0
        for column in range(values.shape[1]):
            old, new = (each[np.isfinite(each[:, column]), column] for each in (before, after))
            if len(old) and len(new):
                moved += wasserstein_distance(old, new) / max(old.std(), 1e-3) >= _MOVED
        if moved / values.shape[1] >= _DRIFT_SHARE:
            moments.append(now)
            champion = now
    return tuple(moments)
