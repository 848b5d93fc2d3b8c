"""The table that a model learns from: the sources, and the labelled cases below them."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from noria.config import UseCase
from noria.config.column_reading import ColumnReading
from noria.config.data import DataConfig, SourceConfig
from noria.data.sources import SourceTable, fingerprint, read_table
from noria.labelled_cases.known_rows import leave_out_known
from noria.labelled_cases.results import CasesSummary
from noria.labelled_cases.rows import TableSoFar, rows_of
from noria.labelled_cases.settings import CaseSettings, case_settings
from noria.labelled_cases.stored import read_stored
from noria.predictions import inputs_of
from noria.system import progress

_OWN = ("prediction_id", "event_at", "version", "entity", "label")


@dataclass(frozen=True)
class TrainingTable(SourceTable):
    """The table with its labelled cases, and what became of them."""

    cases: CasesSummary | None = None
    """None: the use case reads no labelled cases."""


def read_training_table(
    data: DataConfig,
    settings: CaseSettings | None,
    declared: Callable[[str], ColumnReading] | None = None,
) -> TrainingTable:
    """Read the tables, and add the labelled cases of prediction stores as further rows.

    A case is the newest prediction that was made of it, with the label that it has now, once it is older than
    `problem.label_delay_days`. Cases that the table has already are left out. Values are read by the rules of the
    table's columns. Rows outside `data.window` are there, too: features of earlier cases are counted from them.

    Args:
        data: sources, joins and the roles of columns.
        settings: of the use case; None: there are no sources of labelled cases.
        declared: what is declared for a column; by default what `data` says.

    Raises:
        NoriaError: a source cannot be read.
    """
    table = read_table(data, declared)
    if settings is None:
        return TrainingTable(table.frame, table.readings, table.decisions)
    frame, total = table.frame, CasesSummary()
    for source in _sources(data):
        so_far = TableSoFar(frame, table.readings, data, settings)
        rows, summary = _cases_of(source, so_far)
        total = _sum(total, summary)
        frame = pd.concat([frame, rows], ignore_index=True) if len(rows) else frame
    return TrainingTable(frame, table.readings, table.decisions, cases=total)


def training_fingerprint(use_case: UseCase, *, now: datetime | None = None) -> str:
    """SHA-256 of what the sources hold now, the labelled cases included; `now` as for `case_settings`.

    Returns:
        64 hexadecimal digits, different when a table or any labelled case is.

    Raises:
        NoriaError: a source cannot be read.
    """
    tables, settings = fingerprint(use_case.data), case_settings(use_case, now=now)
    if settings is None:
        return tables
    total = hashlib.sha256(tables.encode())
    for source in _sources(use_case.data):
        stored, _, _ = read_stored(source, settings)
        total.update(_digest(stored, settings))
    return total.hexdigest()


def tell_cases(table: TrainingTable) -> None:
    """Say on the console how many labelled cases were added, which were left out and why, and what they lack."""
    if table.cases is not None:
        for sentence in table.cases.sentences():
            progress.stage("cases", sentence)
        for warning in table.cases.warnings():
            progress.warn(warning)


def _digest(stored: pd.DataFrame, settings: CaseSettings) -> bytes:
    """Of what becomes rows of the table: a label that was sent again changes nothing."""
    if stored.empty:
        return b""
    inputs = inputs_of(stored)
    inputs = inputs.drop(columns=[name for name in inputs.columns if name in settings.hidden])
    values = [stored[list(_OWN)].add_prefix("own "), inputs]
    kept = pd.concat(values, axis=1).astype(object)
    return str(list(kept.columns)).encode() + pd.util.hash_pandas_object(kept, index=False).to_numpy().tobytes()


def _sources(data: DataConfig) -> list[SourceConfig]:
    return [source for source in data.sources if source.kind == "predictions"]


def _cases_of(source: SourceConfig, table: TableSoFar) -> tuple[pd.DataFrame, CasesSummary]:
    """The rows that a source adds to the table."""
    stored, found, left_out = read_stored(source, table.settings)
    if stored.empty:
        return table.frame[:0], CasesSummary(found=found, left_out=left_out)
    rows = rows_of(stored, table)
    contradicting = leave_out_known(rows, table)
    times = rows.stored["event_at"]
    hidden = [name for name in table.frame.columns if name in table.settings.hidden and name != table.data.id]
    return rows.frame, CasesSummary(
        found=found,
        taken=len(rows.frame),
        left_out=left_out | rows.left_out,
        hidden=dict.fromkeys(hidden, len(rows.frame)) if len(rows.frame) else {},
        absent=rows.absent,
        unknown=rows.unknown,
        changed=int((rows.stored["label_changes"] > 0).sum()),
        contradicting=contradicting,
        first=None if times.empty else times.min(),
        last=None if times.empty else times.max(),
    )


def _sum(one: CasesSummary, other: CasesSummary) -> CasesSummary:
    firsts = [each for each in (one.first, other.first) if each is not None]
    lasts = [each for each in (one.last, other.last) if each is not None]
    return CasesSummary(
        found=one.found + other.found,
        taken=one.taken + other.taken,
        left_out=dict(Counter(one.left_out) + Counter(other.left_out)),
        hidden=dict(Counter(one.hidden) + Counter(other.hidden)),
        absent=dict(Counter(one.absent) + Counter(other.absent)),
        unknown=dict(Counter(one.unknown) + Counter(other.unknown)),
        changed=one.changed + other.changed,
        contradicting=one.contradicting + other.contradicting,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
    )
