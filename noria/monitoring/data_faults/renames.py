"""A category that was renamed: one vanished, another appeared, with the same share and the same company.

Pairs are chosen so that shares, what the other columns hold beside them, and spelling agree best.
"""

from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from noria.monitoring.data_faults.change_points import onset
from noria.monitoring.data_faults.company import others_alike
from noria.monitoring.data_faults.fault import DataFault
from noria.monitoring.data_faults.rows import Flags, Rows
from noria.monitoring.data_faults.two_samples import follows_time
from noria.reporting import percent

_FEWEST = 12
"""Rows of a category that are expected in the batch, so that their absence says something."""
_LEFT = 0.02
_ALIKE = 0.6
_COMPANY = 0.6
_SHARE, _SHARE_OF_OLD = 0.02, 0.1
"""Least share of the rows with a new category."""
_SHOWN = 4
_MOST = 0.8
"""Share of the rows with a new category that the pairs explain."""
_Pairs = list[tuple[str, str]]


def renamed_categories(
    before: Rows, batch: Rows, recent: Rows, known: dict[str, set[str]], *, adjacent: bool
) -> list[DataFault]:
    """The columns of which categories vanished in `batch` and others took their place.

    Args:
        before: rows that are taken to be right.
        batch: newer rows.
        recent: all rows of the window, to find since when.
        known: column → the categories that the model knows, none of which can be new.
        adjacent: whether `before` are the rows just before the batch; against older ones, rare categories do not count,
            because they come and go with the seasons.
    """
    faults = []
    for name in batch.categories:
        now = batch.category_counts[name]
        gone, new = _changed_categories(before.category_counts[name], now, known.get(name, set()))
        if not gone or not new or follows_time(batch.categories[name]):
            continue
        pairs = _matched(name, gone, new, before, batch)
        taken = now[[fresh for _, fresh in pairs]].sum() if pairs else 0
        enough = (_SHARE if adjacent else _SHARE_OF_OLD) * now.sum()
        if taken >= max(_MOST * now[new].sum(), enough):
            faults.append(_fault(name, pairs, before, batch, recent))
    return faults


def _changed_categories(then: "pd.Series[Any]", now: "pd.Series[Any]", known: set[str]) -> tuple[list[str], list[str]]:
    """The categories that vanished and those that appeared."""
    if then.sum() < _FEWEST or now.sum() < _FEWEST:
        return [], []
    expected = then / then.sum() * now.sum()
    gone = [str(name) for name, rows in expected.items() if rows >= _FEWEST and now.get(name, 0) <= _LEFT * rows]
    new = [str(name) for name, rows in now.items() if rows >= _FEWEST and name not in then.index and name not in known]
    return gone, new


def _matched(name: str, gone: list[str], new: list[str], before: Rows, batch: Rows) -> _Pairs:
    """Which new category stands for which old one; those without a counterpart stay out."""
    places = {text: before.categories[name] == text for text in gone}
    now = {text: batch.categories[name] == text for text in new}
    costs = np.full((len(gone), len(new)), 9.0)
    for row, old in enumerate(gone):
        for column, fresh in enumerate(new):
            if not _same_share(places[old], now[fresh], batch.missing(name), before.missing(name)):
                continue
            company = others_alike(name, before.part_of(places[old]), batch.part_of(now[fresh]))
            spelling = _spelling(old, fresh)
            if company >= _COMPANY:
                costs[row, column] = 2 - company - spelling
    rows, columns = linear_sum_assignment(costs)
    return [(gone[row], new[column]) for row, column in zip(rows, columns, strict=True) if costs[row, column] < 9]


def _same_share(old: Flags, new: Flags, missing_now: Flags, missing_before: Flags) -> bool:
    """Whether the shares agree as well as chance lets them, and within a quarter of the larger."""
    sizes = len(old) - int(missing_before.sum()), len(new) - int(missing_now.sum())
    first, second = old.sum() / sizes[0], new.sum() / sizes[1]
    pooled = (old.sum() + new.sum()) / sum(sizes)
    chance = 3 * float(np.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1])))
    return bool(abs(first - second) <= max(chance, 0.02) and abs(first - second) <= 0.5 * max(first, second))


def _spelling(old: str, new: str) -> float:
    """How alike the spellings are (0 to 1); one that abbreviates the other is alike."""
    first, second = (" ".join(text.casefold().replace("_", " ").replace("-", " ").split()) for text in (old, new))
    if first == second or first.startswith(second) or second.startswith(first):
        return 1.0
    ratio = SequenceMatcher(None, first, second).ratio()
    return ratio if ratio >= _ALIKE else 0.0


def _fault(name: str, pairs: _Pairs, before: Rows, batch: Rows, recent: Rows) -> DataFault:
    start = onset(_evidence(recent.categories[name], pairs))
    named = ", ".join(f"`{new}` in place of `{old}`" for old, new in pairs[:_SHOWN])
    more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    then, now = before.category_counts[name], batch.category_counts[name]
    shares = [
        float(counts[list(texts)].sum() / counts.sum())
        for counts, texts in zip((then, now), zip(*pairs, strict=True), strict=True)
    ]
    return DataFault(
        kind="category_renamed",
        columns=[name],
        since=recent.time_of(start),
        sentence=f"`{name}` looks renamed{{since}}: {named}{more}, with the same share of the rows "
        f"({percent(shares[0], 0)} before, {percent(shares[1], 0)} since then).",
        figures={**{f"was {new}": old for old, new in pairs}, "share before": shares[0], "share since": shares[1]},
    )


def _evidence(values: Any, pairs: _Pairs) -> Any:
    old, new = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    return np.fromiter(
        ((text in new) * 1.0 - (text in old) * 1.0 for text in values), dtype=np.float64, count=len(values)
    )
