"""The input schema: learned from the training rows, stored in the manifest, checked at every prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from noria.config.history import HistorySpec
from noria.config.section import Section
from noria.schema.column import Column
from noria.schema.row_check import CheckedRows, check_column, check_names
from noria.tabular.values import raw_columns

if TYPE_CHECKING:
    import pandas as pd

    from noria.config import UseCase
    from noria.tabular.column_reader import Raw


class InputSchema(Section):
    """What a model takes in. The target is never part of it."""

    columns: list[Column]
    """The input columns, in the order of the training table."""
    calendar: list[Literal["year", "month", "day", "weekday", "hour"]] = []
    """Parts of each date that are features."""
    history: HistorySpec | None = None
    """How the columns that no request brings are computed from earlier cases; None: there are none."""

    @classmethod
    def fit(cls, train: pd.DataFrame, use_case: UseCase, *, warn: bool = True) -> InputSchema:
        """Learn the schema from n training rows.

        Columns that can be no feature stay out: constant or wholly missing ones and free text, each with a warning
        unless `warn` is False; dates, unless `features.calendar` names parts of them. A column that a rule or a history
        feature uses stays.

        Raises:
            NoriaError: no column is left, a rule uses a column that is none of them, or a value in a numeric
                column is no number.
        """
        from noria.schema.learning import learn_columns

        columns = learn_columns(train, use_case, warn=warn)
        history = _learned_history(use_case.history_spec(), {column.name for column in columns})
        return cls(columns=columns, calendar=list(use_case.features.calendar), history=history)

    @property
    def names(self) -> list[str]:
        """The input columns."""
        return [column.name for column in self.columns]

    @property
    def asked(self) -> list[Column]:
        """The columns that a request brings: all but those that are computed from earlier cases."""
        computed = set() if self.history is None else set(self.history.names)
        return [column for column in self.columns if column.name not in computed]

    @property
    def encoded_names(self) -> list[str]:
        """The p columns of the matrix; parts of a date are named `column.part`."""
        return [
            name
            for column in self.columns
            for name in (
                [f"{column.name}.{part}" for part in self.calendar] if column.kind == "datetime" else [column.name]
            )
        ]

    def check(self, frame: pd.DataFrame) -> CheckedRows:
        """Read n rows of any types; columns that the schema does not know are ignored.

        Raises:
            NoriaError: an input column is missing (all of them are named), or comes twice.
        """
        ignored = check_names(self.columns, frame)
        return self._checked(raw_columns(frame), len(frame), ignored, frame.index)

    def check_lists(self, raw: Mapping[str, list[Any]], rows: int) -> CheckedRows:
        """Read n `rows` whose input columns are lists of values, as a request brings them; needs no pandas."""
        return self._checked(raw, rows, [], None)

    def _checked(
        self, raw: Mapping[str, Raw], rows: int, ignored: list[str], index: pd.Index[Any] | None
    ) -> CheckedRows:
        errors, warnings = [""] * rows, [""] * rows
        matrix = np.empty((rows, len(self.encoded_names)), dtype=np.float64)
        values, place = {}, 0
        for column in self.columns:
            typed, encoded = check_column(column, raw[column.name], self.calendar, errors, warnings)
            values[column.name] = typed
            matrix[:, place : place + encoded.shape[1]] = encoded
            place += encoded.shape[1]
        return CheckedRows(values, matrix, errors, warnings, ignored, index)

    def encode(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """n rows as (n, p) float64.

        Numbers are themselves, NaN where missing. Categories are their place in `Column.categories`; missing is the
        number of categories, unseen is -1. Dates are their calendar parts (weekday: Monday is 0).
        """
        return self.check(frame).matrix

    def own_matrix(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, q) the encoded columns of an (n, p) matrix that depend on the rows alone, not on earlier cases."""
        if self.history is None:
            return matrix
        computed = set(self.history.names)
        return matrix[:, [place for place, name in enumerate(self.encoded_names) if name not in computed]]

    def places(self, *kinds: str) -> list[int]:
        """Which of the p columns come from columns of these kinds."""
        widths: Sequence[int] = [len(self.calendar) if c.kind == "datetime" else 1 for c in self.columns]
        starts = np.cumsum([0, *widths])
        return [
            int(starts[i]) + offset
            for i, column in enumerate(self.columns)
            if column.kind in kinds
            for offset in range(widths[i])
        ]


def _learned_history(history: HistorySpec | None, learned: set[str]) -> HistorySpec | None:
    """The features that became columns; one that is constant did not."""
    if history is None:
        return None
    kept = [feature for feature in history.features if feature.name in learned]
    return history.model_copy(update={"features": kept}) if kept else None
