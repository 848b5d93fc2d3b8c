"""What is known of one input column."""

from functools import cached_property
from typing import Literal

from noria.config.column_reading import ISO, ColumnReading
from noria.config.section import Section
from noria.tabular.column_reader import ColumnReader, is_whole_number
from noria.tabular.values import LARGEST

Kind = Literal["number", "category", "datetime"]


class Column(Section):
    """One input column as the training rows had it."""

    name: str
    """Its name in the table."""
    kind: Kind
    """What its values are to a model."""
    reading: ColumnReading = ColumnReading()
    """How its values are read, from every file and request."""
    categories: list[str] = []
    """The categories of the training rows, the most frequent first, at most `features.max_categories`."""
    minimum: float | None = None
    """Smallest training value; seconds since 1970 for dates."""
    maximum: float | None = None
    """Largest training value; seconds since 1970 for dates."""
    missing: float = 0.0
    """Share of the training rows in which it is missing (0 to 1)."""

    @cached_property
    def codes(self) -> dict[str | None, int]:
        """Category → code from 0; None (missing) → the number of categories."""
        codes: dict[str | None, int] = {text: code for code, text in enumerate(self.categories)}
        codes[None] = len(self.categories)
        return codes

    @cached_property
    def reader(self) -> ColumnReader:
        """Reads its values."""
        return self.reader_of(".")

    def reader_of(self, decimal: str) -> ColumnReader:
        """Reads its values from a file with this decimal mark, unless the column has one of its own."""
        return ColumnReader(self.reading if self.reading.type is not None else self._plain_reading, decimal)

    @property
    def _plain_reading(self) -> ColumnReading:
        """For a model of an earlier version, which has no rules."""
        if self.kind == "number":
            return ColumnReading(type="number")
        if self.kind == "datetime":
            return ColumnReading(type="date", format=ISO)
        if self.is_boolean:
            return ColumnReading(type="boolean")
        return ColumnReading(type="text", whole_numbers=all(map(is_whole_number, self.categories)))

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Between these a number is nothing unusual."""
        if self.minimum is None or self.maximum is None:
            return -LARGEST, LARGEST
        return self.minimum, self.maximum

    @cached_property
    def is_boolean(self) -> bool:
        """Whether the only categories are True and False."""
        return bool(self.categories) and set(self.categories) <= {"True", "False"}
