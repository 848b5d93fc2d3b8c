"""All faults of the rows that a window holds."""

from collections.abc import Iterator
from datetime import UTC, datetime

from noria.monitoring.data_faults.change_points import change_points
from noria.monitoring.data_faults.clocks import lagging_times, shifted_clock
from noria.monitoring.data_faults.copies import stale_copy
from noria.monitoring.data_faults.fault import DataFault
from noria.monitoring.data_faults.feed import Arrivals, feed_faults
from noria.monitoring.data_faults.renames import renamed_categories
from noria.monitoring.data_faults.rows import Rows
from noria.monitoring.data_faults.swaps import swapped_columns
from noria.monitoring.data_faults.units import unit_changes
from noria.monitoring.data_faults.values import constant_columns, missing_values, unreadable_values
from noria.schema import InputSchema

_BASE = 5_000
_FEWEST = 50
_EXPLAINS = ("columns_swapped", "unit_changed", "category_renamed", "unreadable_values", "constant_column")
"""Kinds of which one explains a column, the surest first."""


def find_data_faults(
    reference: Rows,
    recent: Rows,
    schema: InputSchema,
    now: datetime,
    *,
    fewest: int = 100,
    arrivals: Arrivals | None = None,
) -> list[DataFault]:
    """The faults that the newest rows of a window show.

    Batches that reach to the newest row are each compared with the reference and with the rows just before them: the
    halves, quarters … of the window, and what lies behind each place at which a column began to look different. A
    fault that ended within the window is not reported.

    Args:
        reference: a sample of the rows that the model learned.
        recent: the rows of the window, oldest first, with their times.
        schema: what the model takes in.
        now: when one looks; a feed that stopped is seen from it.
        fewest: a batch, and what it is compared with, have at least so many rows; never fewer than 50.
        arrivals: when all rows came, where `recent` holds a part of them.

    Returns:
        At most one fault for each kind and group of columns, the newest first.
    """
    faults: dict[tuple[str, ...], DataFault] = {}
    fewest = max(fewest, _FEWEST)
    if len(recent) >= fewest:
        for fault in _value_faults(reference, recent, schema, fewest):
            key = (fault.kind, *fault.columns)
            if key not in faults:
                faults[key] = fault
    stream = [*feed_faults(arrivals or Arrivals(recent.at), now), *shifted_clock(recent, fewest)]
    return [_dated(fault, now) for fault in [*stream, *_explained(list(faults.values()))]]


def _value_faults(reference: Rows, recent: Rows, schema: InputSchema, fewest: int) -> Iterator[DataFault]:
    known = {column.name: set(column.categories) for column in schema.columns if column.kind == "category"}
    usual = {column.name: column.missing for column in schema.columns}
    for start in batch_starts(recent, fewest):
        batch = recent.part(start)
        yield from stale_copy(recent, start, fewest)
        bases = [(reference, False)]
        if start >= fewest:
            bases.insert(0, (recent.part(max(0, start - _BASE), start), True))
        for before, adjacent in bases:
            if len(before) < fewest:
                continue
            yield from unit_changes(before, batch, recent, reference, adjacent=adjacent)
            yield from renamed_categories(before, batch, recent, known, adjacent=adjacent)
            yield from swapped_columns(before, batch, recent)
            yield from missing_values(before, batch, recent, usual)
            yield from unreadable_values(before, batch, recent)
            yield from constant_columns(before, batch, recent, adjacent=adjacent)
            if adjacent:
                yield from lagging_times(before, batch, recent)


def merge_faults(sampled: list[DataFault], newest: list[DataFault]) -> list[DataFault]:
    """The faults of a sample of the window, and those that only its newest rows show."""
    seen = {(fault.kind, *fault.columns) for fault in sampled}
    taken = {name for fault in sampled if fault.kind in _EXPLAINS for name in fault.columns}
    return sampled + [
        fault
        for fault in newest
        if (fault.kind, *fault.columns) not in seen and (fault.kind not in _EXPLAINS or taken.isdisjoint(fault.columns))
    ]


def batch_starts(recent: Rows, fewest: int) -> list[int]:
    """Where the batches begin that are looked at: at change points first, then halves, quarters … of the window."""
    starts = change_points(recent, fewest)
    size = len(recent)
    while size >= fewest:
        starts.append(len(recent) - size)
        size //= 2
    starts.append(len(recent) - fewest)
    return list(dict.fromkeys(starts))


def _explained(faults: list[DataFault]) -> list[DataFault]:
    """Without those on columns that a surer kind of fault explains already."""
    kept: list[DataFault] = []
    taken: set[str] = set()
    for fault in sorted(faults, key=lambda each: _EXPLAINS.index(each.kind) if each.kind in _EXPLAINS else -1):
        if fault.kind in _EXPLAINS:
            if not taken.isdisjoint(fault.columns):
                continue
            taken.update(fault.columns)
        kept.append(fault)
    return kept


def _dated(fault: DataFault, now: datetime) -> DataFault:
    since = ""
    if fault.since is not None:
        moment, today = fault.since.astimezone(UTC), now.astimezone(UTC)
        since = f" since {moment:%H:%M} UTC" if moment.date() == today.date() else f" since {moment:%d %B %H:%M} UTC"
    return fault.model_copy(update={"sentence": fault.sentence.replace("{since}", since)})
