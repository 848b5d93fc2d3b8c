"""The summary of a table: target, roles of columns, and leakage."""

from dataclasses import dataclass, replace

import pandas as pd

from noria.profiling.leakage import LeakageScan, scan_leakage
from noria.profiling.scaffold.column_roles import ColumnRoles, assign_roles
from noria.profiling.scaffold.column_summary import ColumnSummary
from noria.profiling.scaffold.task_inference import InferredTarget
from noria.schema.column import Kind
from noria.system.errors import NoriaError
from noria.tabular.types import is_number
from noria.tabular.values import LARGEST
from noria.tabular.with_columns import with_columns


@dataclass(frozen=True)
class TableSummary:
    """Target, roles of columns, suspects, and the rows that can be learned from."""

    target: InferredTarget
    facts: dict[str, ColumnSummary]
    roles: ColumnRoles
    leakage: LeakageScan
    known: pd.DataFrame
    """The rows that validation will keep."""
    rows: int
    """All rows of the table."""

    @property
    def lost(self) -> int:
        """Rows that validation will set aside."""
        return self.rows - len(self.known)

    @property
    def truth(self) -> pd.Series:
        """The target in the rows that can be learned from."""
        return self.known[self.target.name]

    def excluding(self, reasons: dict[str, str]) -> "TableSummary":
        """The same, with more columns excluded; `reasons` names them and says why."""
        features = [fact for fact in self.roles.features if fact.name not in reasons]
        return replace(self, roles=replace(self.roles, exclude={**self.roles.exclude, **reasons}, features=features))

    @property
    def features(self) -> list[ColumnSummary]:
        """Columns that a model may see."""
        return [fact for fact in self.roles.features if fact.name not in self.leakage.suspects]

    @property
    def times(self) -> pd.Series | None:
        """When each case happened, if a column says so."""
        return self.known[self.roles.time] if self.roles.time else None

    @property
    def measure(self) -> str:
        """The name of the score in `leakage.alone`."""
        return "R²" if self.target.task == "regression" else "ROC AUC"


def summarize_table(frame: pd.DataFrame, facts: dict[str, ColumnSummary], target: InferredTarget) -> TableSummary:
    """Give every column its role and look for leakage.

    Args:
        frame: n rows with dates read as such.
        facts: facts of every column.
        target: what is predicted.

    Raises:
        NoriaError: no row or no column is left that a model could learn from.
    """
    roles = assign_roles(facts, frame, target.name, is_number=target.task == "regression")
    known = _learnable(frame, target)
    if roles.time:
        known = known[known[roles.time].notna()]
    if known.empty:
        raise NoriaError(
            "no row can be learned from: each lacks the target or the time, or holds a number that is too large for "
            f"models (beyond {LARGEST:.1g})",
            code="profiling.rows_missing",
            where="--data",
            fix="bring rows that are complete, or give large numbers in another unit",
        )
    kinds: dict[str, Kind] = {
        fact.name: "category" if fact.name in roles.categorical else fact.training.kind for fact in roles.features
    }
    found = TableSummary(target, facts, roles, scan_leakage(known, target.name, target.task, kinds), known, len(frame))
    if not found.features and not roles.time:
        gone = {**roles.exclude, **found.leakage.suspects} | ({roles.id: "an identifier"} if roles.id else {})
        what = "no column is left to learn from: " + "; ".join(f"`{name}` is out ({why})" for name, why in gone.items())
        raise NoriaError(
            what,
            code="profiling.inputs_missing",
            where="--data",
            fix="bring columns that are known when the prediction is needed",
        )
    return found


def _learnable(frame: pd.DataFrame, target: InferredTarget) -> pd.DataFrame:
    """Rows with a target to learn and no infinite number."""
    numbers = [name for name in frame.columns if is_number(frame[name])]
    infinite = (frame[numbers].abs() > LARGEST).any(axis=1)
    if target.task != "regression":
        return frame[frame[target.name].isin(target.classes) & ~infinite]
    known = frame[frame[target.name].notna() & ~infinite]
    return with_columns(known, {target.name: known[target.name].astype("float64")})
