"""Cases as history features read them: their time, their keys, and the numbers that are counted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from noria.config.history import HistorySpec
from noria.schema import Column
from noria.tabular.column_reader import Raw
from noria.tabular.values import BOOLEANS, text_of

NO_TIME = np.iinfo(np.int64).min
"""The time of a case that has none."""
Times: TypeAlias = NDArray[np.int64]
Texts: TypeAlias = "list[str | None]"


@dataclass(frozen=True)
class Cases:
    """n cases."""

    times: Times
    """(n,) microseconds since 1970, `NO_TIME` where missing."""
    keys: dict[str, tuple[NDArray[np.intp], Texts]]
    """Key column → codes (n,), and the text of each code; None is a missing key, which is a key like others."""
    numbers: dict[str, NDArray[np.float64]]
    """Column → (n,) numbers, NaN where missing. The target is there where it is known, under its own name."""
    labels: frozenset[str] = frozenset()
    """Which of `numbers` is the target."""

    def __len__(self) -> int:
        return len(self.times)

    def key_texts(self, column: str) -> Texts:
        """(n,) the key of each case."""
        codes, texts = self.keys[column]
        return [texts[code] for code in codes.tolist()]

    def identities(self) -> list[tuple[object, ...]]:
        """(n,) time, keys and numbers of each case, without its label: what tells it from others."""
        names = [name for name in self.numbers if name not in self.labels]
        columns = [*map(self.key_texts, self.keys), *(map(str, self.numbers[name].tolist()) for name in names)]
        return list(zip(self.times.tolist(), *columns, strict=True))

    def without_unused_keys(self) -> "Cases":
        """The same cases without key texts that none of them has."""
        keys = {}
        for name, (codes, texts) in self.keys.items():
            used, again = np.unique(codes, return_inverse=True)
            keys[name] = again.astype(np.intp), [texts[code] for code in used.tolist()]
        return replace(self, keys=keys)

    def with_target(self, target: str, values: NDArray[np.float64]) -> "Cases":
        """The same cases with their labels as numbers."""
        return replace(self, numbers={**self.numbers, target: values}, labels=frozenset({target}))

    def take(self, places: NDArray[np.intp]) -> "Cases":
        """Some of the cases."""
        return Cases(
            self.times[places],
            {name: (codes[places], texts) for name, (codes, texts) in self.keys.items()},
            {name: values[places] for name, values in self.numbers.items()},
            self.labels,
        )


def read_cases(spec: HistorySpec, columns: Mapping[str, Column], raw: Mapping[str, Raw]) -> Cases:
    """Read n cases by the rules of their columns; a value that cannot be read counts as missing.

    Args:
        spec: which columns are needed.
        columns: column → how it is read.
        raw: column → n values.
    """
    moments, _ = columns[spec.time].reader.read_moments(raw[spec.time])
    # NaT is the smallest integer, which is NO_TIME
    times = moments.astype("datetime64[us]").astype(np.int64)
    keys = {name: _keys(columns[name], raw[name]) for name in spec.keys}
    numbers = {name: columns[name].reader.read_numbers(raw[name])[0] for name in spec.numbers}
    return Cases(times, keys, numbers)


def _keys(column: Column, raw: Raw) -> tuple[NDArray[np.intp], Texts]:
    if column.kind == "number":
        numbers, _ = column.reader.read_numbers(raw)
        values, codes = np.unique(numbers, return_inverse=True)
        return codes, [None if np.isnan(value) else text_of(float(value)) for value in values]
    codes, texts, _ = column.reader.read_texts(raw)
    if column.is_boolean:
        texts = [str(BOOLEANS.get(text.strip().lower(), text)) if text is not None else None for text in texts]
    return codes, texts
