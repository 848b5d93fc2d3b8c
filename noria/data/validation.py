"""Keeping what breaks an expectation apart from what is learned from."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from noria.config import UseCase
from noria.config.section import Section
from noria.data.column_check import named_columns
from noria.data.expectations import broken, reasons, typed
from noria.data.target import require_learnable, require_usable, target_labels
from noria.system.errors import NoriaError
from noria.system.files import atomic_path
from noria.tabular.names import require_columns, set_apart
from noria.tabular.spreadsheet_text import for_people

_TOP_REASONS = 3
_ABOUT = ("row", "reason")
"""What a quarantined row says of itself; a column of the table with such a name gets one of its own."""


class ValidationSummary(Section):
    """How many rows passed, and why the others did not."""

    rows: int
    """Rows of the table."""
    kept: int
    """Rows that meet every expectation."""
    quarantined: int
    """Rows that break at least one."""
    reasons: dict[str, int]
    """What is wrong ("tenure is below 0") → rows, the most frequent first; a row may have several reasons."""


@dataclass(frozen=True)
class ValidatedTable:
    """The table, divided."""

    frame: pd.DataFrame
    """Rows that meet every expectation, typed as declared, with an index from 0."""
    quarantined: pd.DataFrame
    """The other rows as they came, `reason` first; the index `row` is the row's number in the table, from 1."""
    summary: ValidationSummary


def validate(frame: pd.DataFrame, use_case: UseCase, *, quarantine: Path | None = None) -> ValidatedTable:
    """Check the table against the expectations of the use case.

    Beyond what is declared, a row is quarantined if its target, its identifier, or the time or group that the split
    needs is missing, if its identifier occurred before, or if a number is infinite.

    Args:
        frame: n rows as read.
        use_case: its `data.expectations` and the roles of columns.
        quarantine: CSV file that receives the quarantined rows, also when there are too many of them; a file of an
            earlier run is removed if all rows pass.

    Returns:
        Every row is in exactly one of the two tables. Class labels of the target are text.

    Raises:
        NoriaError: the table is empty, a configured column is absent, too many rows or values break an expectation,
            or nothing can be learned from the target.
    """
    _require_table(frame, use_case)
    frame = frame.reset_index(drop=True)
    require_usable(frame[use_case.data.target], use_case)
    converted, unreadable = typed(frame, use_case)
    findings = pd.concat([unreadable, broken(converted, use_case)], ignore_index=True)
    # one reason per value: an unreadable one is missing after conversion too
    findings = findings.drop_duplicates(["row", "column"])
    why = reasons(findings)
    result = _divide(frame, converted, why, findings, use_case)
    if quarantine is not None:
        write_quarantine(result.quarantined, quarantine)
    _require_few(result.summary, use_case, quarantine)
    _require_present(frame, use_case)
    require_learnable(result.frame[use_case.data.target], use_case)
    return result


def write_quarantine(quarantined: pd.DataFrame, path: Path) -> None:
    """Write the rows as CSV for people (see `for_people`), atomically; without any, remove the file of an earlier run.

    Raises:
        NoriaError: the file cannot be written.
    """
    if quarantined.empty:
        path.unlink(missing_ok=True)
        return
    with atomic_path(path) as part:
        for_people(quarantined).to_csv(part, index_label="row")


def _divide(
    frame: pd.DataFrame, converted: pd.DataFrame, why: pd.Series, findings: pd.DataFrame, use_case: UseCase
) -> ValidatedTable:
    bad = pd.Series(False, index=frame.index)
    bad.loc[why.index] = True
    taken = [*_ABOUT, *frame.columns]
    rest = frame[bad].rename(columns={name: set_apart(name, taken, " (in the table)") for name in _ABOUT})
    # not inserted: pandas warns of a wide table's pieces then
    quarantined = pd.concat([why.astype("str").rename("reason").reindex(rest.index), rest], axis=1)
    quarantined.index = quarantined.index.rename("row") + 1
    kept = converted[~bad].reset_index(drop=True)
    if len(kept):
        kept, _ = typed(kept, use_case)  # whole numbers again, now that what was unreadable is gone
        kept[use_case.data.target] = target_labels(kept[use_case.data.target], use_case)
    counts = (findings["column"].astype("str") + " " + findings["check"].astype("str")).value_counts()
    summary = ValidationSummary(
        rows=len(frame),
        kept=len(kept),
        quarantined=len(quarantined),
        reasons={str(reason): int(rows) for reason, rows in counts.items()},
    )
    return ValidatedTable(kept, quarantined, summary)


def _require_table(frame: pd.DataFrame, use_case: UseCase) -> None:
    place = ", ".join(source.path or source.url or source.name for source in use_case.data.sources)
    if frame.empty:
        raise NoriaError(
            "the table has no rows",
            code="data.table_empty",
            where=place,
            fix="bring rows, or correct the source or its query",
        )
    require_columns(frame, named_columns(use_case))


def _require_few(summary: ValidationSummary, use_case: UseCase, file: Path | None) -> None:
    limit = use_case.data.expectations.max_quarantined
    share = summary.quarantined / summary.rows
    if share <= limit and summary.kept:
        return
    top = ", ".join(f"{reason} ({rows:,})" for reason, rows in list(summary.reasons.items())[:_TOP_REASONS])
    kept = f"; the rows are in {file}" if file else ""
    raise NoriaError(
        f"{summary.quarantined:,} of {summary.rows:,} rows ({share:.1%}) break an expectation, "
        f"more than the {limit:.1%} allowed: {top}",
        code="data.quarantine_too_large",
        where=f"data.expectations{kept}",
        fix="correct the data, change the expectation, or raise data.expectations.max_quarantined",
    )


def _require_present(frame: pd.DataFrame, use_case: UseCase) -> None:
    for column, expectation in use_case.data.expectations.columns.items():
        share = float(frame[column].isna().mean())
        if share > expectation.max_missing:
            raise NoriaError(
                f"column `{column}` is missing in {share:.1%} of the rows, "
                f"more than the {expectation.max_missing:.1%} allowed",
                code="data.column_too_sparse",
                where=f"data.expectations.columns.{column}.max_missing",
                fix="fill in the missing values, or raise max_missing",
            )
