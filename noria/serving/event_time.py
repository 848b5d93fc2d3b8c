"""When a case happens: the use case's `data.time`, as requests carry it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from noria.config.column_reading import ColumnReading
from noria.tabular.column_reader import ColumnReader

if TYPE_CHECKING:
    from noria.bundle import Manifest

_MICROSECONDS = 1e6


class EventClock:
    """Reads the times of cases. The field may be missing: the time of the request stands in then.

    Args:
        column: the field of a row.
        reader: reads its values; times without an offset from UTC are taken as UTC.
    """

    def __init__(self, column: str, reader: ColumnReader) -> None:
        self.column = column
        self._reader = reader

    @classmethod
    def of(cls, manifest: "Manifest") -> "EventClock | None":
        """The clock of a model; None if its use case has no `data.time`, or one that holds no dates."""
        if manifest.time is None:
            return None
        known = {column.name: column.reader for column in manifest.schema_.columns}
        reader = known.get(manifest.time) or ColumnReader(manifest.readings.get(manifest.time, ColumnReading()))
        return cls(manifest.time, reader) if reader.reading.type == "date" else None

    def read(self, values: Sequence[Any]) -> tuple[list[float | None], dict[int, str]]:
        """n values as seconds since 1970, None where missing or unreadable; and row → what is wrong with it."""
        moments, faults = self._reader.read_moments(list(values))
        seconds = (moments.astype(np.int64) / _MICROSECONDS).tolist()
        missing = np.isnat(moments).tolist()
        return [None if gap else second for gap, second in zip(missing, seconds, strict=True)], faults
