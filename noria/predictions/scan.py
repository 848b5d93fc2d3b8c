"""All predictions of a time, part by part, in bounded memory.

The database joins the values of a part to a few long texts. One row at a time would cost several times as much.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Engine, Select, Text, and_, case, cast, func, select

from noria.predictions.database import reading
from noria.predictions.ids import RANDOM_FROM
from noria.predictions.queries import SENT
from noria.predictions.sql_tables import event_time, predictions

_TEXT = 8_000_000
"""Characters that a part should have at most; it may have more where the rows become longer."""
_FIRST, _LEAST, _MOST = 200, 50, 50_000
"""Numbers of a part, of which the window may hold fewer."""
_DIGITS = 6
_MARGIN = 1.2
_LINE = "\n"


@dataclass(frozen=True)
class StoredPart:
    """n predictions, in the order in which they were stored; texts have a line for each."""

    rows: int
    """n."""
    features: str
    """Their inputs, as JSON objects."""
    answers: str
    """Their probabilities or predictions, as JSON values."""
    times: str
    """When their cases happen (UTC), in the form of ISO 8601."""
    unlabelled: int
    """How many have no label."""
    young: int
    """How many of these are younger than `young_since`."""
    drawn: list[str]
    """The identifiers of those that `draw` lets through."""


@dataclass(frozen=True, kw_only=True)
class ScanQuery:
    """Which predictions are read, and what of them."""

    since: datetime
    """Cases that happen from then on; with a zone."""
    until: datetime
    """Cases that happen before then."""
    version: str
    """Those of this version of the model, without tests and shadows."""
    answer: Literal["probability", "prediction"]
    """The column with the answer."""
    young_since: datetime
    """See `StoredPart.young`."""
    draw: int = 0
    """So many identifiers, and some more, are drawn as `PredictionStore.window` draws its sample."""
    without: Collection[str] = ()
    """Variants that are left out."""


def scan(engine: Engine, query: ScanQuery) -> Iterator[StoredPart]:
    """Read in one transaction what `query` describes."""
    with reading(engine) as connection:
        first, last, counts = _bounds(connection, query.since)
        if first is None or last is None:
            return
        cut = _cut(query.draw, max(counts))
        before, width = first - 1, _FIRST
        while before < last:
            upto = min(before + width, last)
            part = _part(connection, query, before, upto, cut)
            if part.rows:
                yield part
            before = upto
            width = _width(width, len(part.features))


def most_rows(engine: Engine, since: datetime) -> int:
    """So many predictions of cases that happen from `since` on, of all versions, are stored at most."""
    with reading(engine) as connection:
        return sum(_bounds(connection, since)[2])


def drawn_first(ids: Collection[str], many: int) -> list[str]:
    """The identifiers that a sample of `many` takes."""
    return sorted(ids, key=lambda id: (id[RANDOM_FROM - 1 :], id))[:many]


def _bounds(connection: Connection, since: datetime) -> tuple[int | None, int | None, list[int]]:
    """The first and the last number that may be of this time, and how many rows were asked and happen from then on.

    By each index alone, because the two times together would need the rows themselves.
    """
    row = predictions.c
    found = [
        connection.execute(select(func.count(), func.min(row.seq), func.max(row.seq)).where(column >= since)).one()
        for column in (row.at, row.event_at)
    ]
    firsts, lasts = ([each[place] for each in found if each[place] is not None] for place in (1, 2))
    return min(firsts, default=None), max(lasts, default=None), [each[0] for each in found]


def _part(connection: Connection, query: ScanQuery, before: int, upto: int, cut: str) -> StoredPart:
    features, answers, times, rows, unlabelled, young, drawn = connection.execute(
        _statement(connection, query, before, upto, cut)
    ).one()
    ids = [] if drawn is None else drawn if isinstance(drawn, list) else msgspec.json.decode(drawn)
    return StoredPart(rows, features or "", answers or "", times or "", unlabelled or 0, young or 0, ids)


def _statement(connection: Connection, query: ScanQuery, before: int, upto: int, cut: str) -> Select[Any]:
    """All texts are joined in the order in which the rows are read, so their lines belong together."""
    row, is_postgresql = predictions.c, connection.dialect.name == "postgresql"
    answer = row[query.answer] if query.answer == "prediction" else row.probability
    array = func.json_agg if is_postgresql else func.json_group_array
    end = func.substr(row.id, RANDOM_FROM)
    is_young = and_(row.label_id.is_(None), event_time > query.young_since)
    return select(
        func.aggregate_strings(cast(row.features, Text), _LINE),
        func.aggregate_strings(func.coalesce(cast(answer, Text), "null"), _LINE),
        func.aggregate_strings(cast(func.coalesce(row.event_at, row.at), Text), _LINE),
        func.count(),
        func.count(case((row.label_id.is_(None), 1))),
        func.count(case((is_young, 1))),
        array(row.id).filter(end < cut),
    ).where(
        # the times come last and as an expression, so that the rows are found by their numbers and not by an index
        *(row.seq > before, row.seq <= upto, SENT, row.version == query.version),
        *([row.variant.not_in(list(query.without))] if query.without else []),
        *(event_time >= query.since, event_time < query.until),
    )


def _cut(draw: int, rows: int) -> str:
    """Random ends of identifiers below this are drawn: of so many rows, somewhat more than `draw`."""
    share = _MARGIN * draw / max(rows, 1)
    return "g" if share >= 1 else f"{int(share * 16**_DIGITS):0{_DIGITS}x}"


def _width(width: int, length: int) -> int:
    wanted = width * _TEXT // length if length else _MOST
    return max(_LEAST, min(wanted, 4 * width, _MOST))
