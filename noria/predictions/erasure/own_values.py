"""The texts that only one case has: an unusual value names a person as well as a name does."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noria.config import UseCase
from noria.predictions.erasure.entity_matcher import EntityMatcher
from noria.predictions.erasure.search_patterns import is_specific
from noria.predictions.erasure.table_erasure import holds_text, named_rows, own_csv_rows
from noria.predictions.store import PredictionStore

if TYPE_CHECKING:
    import pyarrow as pa

_OTHERS = 50
"""As many rows of others must lack a value before it counts as one of this case alone."""
_COMMON = re.compile(r"[\d\s.,:/+-]{1,12}|\d{4}-\d\d-\d\d[T ][\d:.,Z+ -]*|(?i:true|false|nan|none|null)")
"""Numbers, dates and truth values, which identify no one."""
_MOST_VALUES = 100


def with_own_values(
    case: EntityMatcher,
    use_case: UseCase,
    tables: Iterable[Path],
    sheets: Iterable[Path],
    *,
    stored: Sequence[dict[str, Any]],
    others_stored: int,
) -> EntityMatcher:
    """The case with its rows, and with those texts in them that no row of another case has.

    Args:
        case: its names and the ids of its predictions.
        use_case: texts that it mentions identify no one.
        tables: Parquet files on this machine.
        sheets: CSV files with quarantined rows.
        stored: the inputs of its stored predictions.
        others_stored: predictions of others in the store, which is asked later, see `without_shared`.
    """
    read = [table for file in tables if (table := _read(file, case)) is not None]
    rows = list(stored)
    for file in sheets:
        rows += _csv_rows(file, case)
    rows += [row for table in read for row in table.filter(_arrow(named_rows(table, case))).to_pylist()]
    mentioned = use_case.model_dump_json()
    found = {
        value: name
        for row in rows
        for name, value in row.items()
        if isinstance(value, str) and name not in {"reason", "warning", "prediction_id"} and _is_telling(value)
    }
    found = {value: name for value, name in found.items() if value not in mentioned and value not in case.texts}
    others = Counter(dict.fromkeys({name for row in stored for name in row}, others_stored))
    for table in read:
        shared = _held_by_others(table, case, found, others)
        found = {value: name for value, name in found.items() if value not in shared}
    values = [value for value, name in found.items() if others[name] >= _OTHERS][:_MOST_VALUES]
    return replace(case, rows=rows, values=values)


def without_shared(case: EntityMatcher, store: PredictionStore) -> EntityMatcher:
    """The case, erased from the store, without the values that a row in the store still holds."""
    if not case.values or not store.count_mentions(case.values):
        return case
    return replace(case, values=[value for value in case.values if not store.count_mentions([value])])


def _is_telling(value: str) -> bool:
    return is_specific(value) and not _COMMON.fullmatch(value)


def _read(file: Path, case: EntityMatcher) -> "pa.Table | None":
    """A table with rows of cases; None for another one, and for a damaged one, which is reported later."""
    import pyarrow.parquet as pq

    try:
        names = set(pq.read_schema(file).names)
        return pq.read_table(file) if {case.column, case.target} <= names or "prediction_id" in names else None
    except (OSError, ValueError):
        return None


def _csv_rows(file: Path, case: EntityMatcher) -> list[dict[str, Any]]:
    try:
        return own_csv_rows(file, case)
    except (OSError, ValueError, csv.Error):
        return []


def _held_by_others(table: "pa.Table", case: EntityMatcher, found: Collection[str], others: Counter[str]) -> set[str]:
    """Which of these texts are in rows of others; counts in `others` how many rows of others have a column at all."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rest = table.filter(_arrow(np.logical_not(named_rows(table, case))))
    shared: set[str] = set()
    for name in rest.column_names:
        column = rest[name]
        others[name] += len(column) - column.null_count
        if holds_text(column):
            held = pc.is_in(pa.array(list(found), pa.large_string()), column.cast(pa.large_string()).combine_chunks())
            shared |= {value for value, is_held in zip(found, held.to_pylist(), strict=True) if is_held}
    return shared


def _arrow(mask: Any) -> "pa.Array":
    import pyarrow as pa

    return pa.array(mask)


def stored_tables(folders: Iterable[Path]) -> Iterator[Path]:
    """The Parquet files below these folders."""
    return (path for folder in folders for path in sorted(folder.rglob("*.parquet")) if path.is_file())
