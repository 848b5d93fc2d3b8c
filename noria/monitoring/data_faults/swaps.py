"""Columns that were exchanged: each holds what another one held before."""

import numpy as np
from numpy.typing import NDArray

from noria.monitoring.data_faults.change_points import onset
from noria.monitoring.data_faults.fault import DataFault
from noria.monitoring.data_faults.rows import Rows
from noria.monitoring.data_faults.two_samples import (
    follows_time,
    is_near,
    ks_distance,
    share_distance,
    shares_are_near,
)

_FEWEST = 30
_LEAST = 0.04
_BETTER = 2.0
_EVIDENCE = 25.0
"""Least log likelihood ratio of the values of all columns of a group, as exchanged against as they were."""
_EACH = 6.0


def swapped_columns(before: Rows, batch: Rows, recent: Rows) -> list[DataFault]:
    """The groups of columns of `batch` that hold one another's values.

    Columns whose values are distributed alike cannot be distinguished in this way.

    Args:
        before: rows that are taken to be right.
        batch: newer rows.
        recent: all rows of the window, to find since when.
    """
    sources = {**_number_sources(before, batch), **_category_sources(before, batch)}
    faults, seen = [], set[str]()
    for first, origin in sources.items():
        cycle, source = [first], None
        while (source := sources.get(cycle[-1])) is not None and source not in cycle:
            cycle.append(source)
        if source != first or not seen.isdisjoint(cycle):
            continue
        evidence = [float(_evidence(name, sources[name], before, batch).sum()) for name in cycle]
        if min(evidence) >= _EACH and sum(evidence) >= _EVIDENCE:
            seen.update(cycle)
            faults.append(_fault(sorted(cycle), first, origin, before, recent))
    return faults


def _number_sources(before: Rows, batch: Rows) -> dict[str, str]:
    """Column → the other column whose earlier values it holds now."""
    then, now = before.sorted_numbers, batch.sorted_numbers
    usable = [name for name in now if min(len(then[name]), len(now[name])) >= _FEWEST]
    found = {}
    for name in usable:
        plain = ks_distance(then[name], now[name])
        if plain < _LEAST or follows_time(batch.numbers[name]):
            continue
        distances = {other: ks_distance(then[other], now[name]) for other in usable if other != name}
        nearest = min(distances, key=lambda other: distances[other], default=None)
        if nearest is None or distances[nearest] * _BETTER > plain:
            continue
        if is_near(distances[nearest], len(then[nearest]), len(now[name])):
            found[name] = nearest
    return found


def _category_sources(before: Rows, batch: Rows) -> dict[str, str]:
    then, now = before.category_counts, batch.category_counts
    usable = [name for name in now if min(then[name].sum(), now[name].sum()) >= _FEWEST]
    found = {}
    for name in usable:
        plain = share_distance(then[name], now[name])
        if plain < _LEAST or follows_time(batch.categories[name]):
            continue
        distances = {other: share_distance(then[other], now[name]) for other in usable if other != name}
        nearest = min(distances, key=lambda other: distances[other], default=None)
        if nearest is None or distances[nearest] * _BETTER > plain:
            continue
        if shares_are_near(then[nearest], now[name]):
            found[name] = nearest
    return found


def _fault(names: list[str], name: str, source: str, before: Rows, recent: Rows) -> DataFault:
    start = onset(_evidence(name, source, before, recent))
    quoted = [f"`{each}`" for each in names]
    listed = f"{', '.join(quoted[:-1])} and {quoted[-1]}"
    return DataFault(
        kind="columns_swapped",
        columns=names,
        since=recent.time_of(start),
        sentence=f"{listed} look swapped{{since}}: each holds the values that another one held before.",
        figures={f"{name} holds": source},
    )


def _evidence(name: str, source: str, before: Rows, recent: Rows) -> NDArray[np.float64]:
    """(n,) the log likelihood ratio of each value: of the other column against its own."""
    if name in recent.categories:
        own, other = before.category_counts[name], before.category_counts[source]
        texts = set(own.index) | set(other.index)
        scores = {text: _log_share(other, text) - _log_share(own, text) for text in texts}
        return np.array([scores.get(text, 0.0) for text in recent.categories[name]])
    values, edges = (
        recent.numbers[name],
        np.unique(
            np.quantile(
                np.concatenate([before.sorted_numbers[name], before.sorted_numbers[source]]), np.linspace(0, 1, 21)
            )
        ),
    )
    counts = [np.histogram(before.sorted_numbers[each], edges)[0] + 0.5 for each in (name, source)]
    ratio = np.log(counts[1] / counts[1].sum()) - np.log(counts[0] / counts[0].sum())
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(ratio) - 1)
    return np.where(np.isnan(values), 0.0, ratio[place])


def _log_share(counts: "object", text: str) -> float:
    rows = counts.get(text, 0)  # type: ignore[attr-defined]
    return float(np.log((rows + 0.5) / (counts.sum() + 1)))  # type: ignore[attr-defined]
