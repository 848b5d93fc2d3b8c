"""From a category to its code, at the speed of one look-up."""

from typing import Any

from noria.schema import Column


class CategoryCodes(dict[Any, float]):
    """Text → code, as `Column.codes`; a category that is not known is -1, and nothing is remembered of it.

    Only texts and None are keys: as keys, 1 and True would be one.
    """

    def __init__(self, column: Column) -> None:
        super().__init__({text: float(code) for text, code in column.codes.items()})
        self._missing = float(len(column.categories))
        self._reader = column.reader

    def __missing__(self, value: object) -> float:
        if self._reader.is_missing(value):
            return self._missing
        return self.get(self._reader.text(value), -1.0)
