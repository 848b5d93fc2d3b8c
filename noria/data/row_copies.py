"""Rows as numbers that depend on their values alone, and the copies that these numbers show.

Two rows are copies if their inputs agree: numbers to about four significant digits, text without regard to case and to
blanks around it. Copies on both sides of a split let a model that has learned rows by heart look good (Kaufman, Rosset
& Perlich, "Leakage in Data Mining", KDD 2011).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from noria.config import UseCase
from noria.data.near_copies import join_near
from noria.tabular.hashing import GOLDEN, mixed
from noria.tabular.types import is_number, without_zone
from noria.tabular.values import distinct, is_missing, text_of

Keys = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.intp]
_HASH_KEY = "noria.data.split"
"""Sixteen characters, as SipHash takes them; changing them would draw a new split everywhere."""
_MISSING, _MOMENT, _NUMBER = np.uint64(1), np.uint64(2), np.uint64(3)
_DIGITS = 4
_EDGE = 0.5371
"""Rounds up from a fraction of 0.4629 on: amounts in whole cents then never lie on the edge between two keys."""
_WHOLE = re.compile(r"^\+?(-?[1-9]\d{15,})(?:\.0*)?$")
_LARGEST_EXACT = 2**53
_LONG = 16
_DECIMAL = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d*)?(e[+-]?\d+)?")
_LOWEST = 324
"""The exponent of the smallest number of double precision, without its sign."""
_POWERS = np.array([float(f"1e{power}") or 5e-324 for power in range(-_LOWEST - _DIGITS + 1, 309)])
_BOOLEANS = {"true": "1", "false": "0"}
_MOST_OF_THEM = 0.7
_WORTH_TELLING = 0.02


@dataclass(frozen=True)
class CopiesSummary:
    """How many rows of a table are copies."""

    rows: int
    """Rows that have at least one copy."""
    different: int
    """Different rows among them."""
    share: float
    """`rows` as a share of all rows (0 to 1)."""
    by_chance: bool
    """Whether about as many rows would agree if the columns had nothing to do with one another."""


def content_keys(frame: pd.DataFrame, use_case: UseCase) -> Keys:
    """(n,) one number per row, the same for copies.

    The number depends on the names and values of the row's own inputs: not on their order, nor on whether a value came
    from CSV, Parquet or SQL, nor on other rows, unless one is a near copy that rounding alone would tell apart: both
    then have the lower number. Inputs are the columns that a model may see, but for the time. A table without any has
    no copies: all of its values count, exactly.

    Args:
        frame: n rows.
        use_case: the roles of columns. Numbers in columns that it declares as text or categories must agree exactly.
    """
    parts = _parts(frame, use_case)
    return _near_joined(parts, frame, use_case) if parts else row_keys(frame, use_case)


def row_keys(frame: pd.DataFrame, use_case: UseCase) -> Keys:
    """(n,) one number per row, different for copies too.

    It depends on the identifier, if there is one. Else it depends on all values of the row, and rows that agree in all
    of them are counted, so that it matters how many there are and not in which order they come.
    """
    if use_case.data.id is not None and use_case.data.id in frame:
        return value_keys(frame[use_case.data.id])
    values = _joined({str(name): value_keys(frame[name], exact=True) for name in _own_columns(frame, use_case)})
    place = pd.Series(values).groupby(values).cumcount().to_numpy().astype(np.uint64)
    return mixed(values + place)


def value_keys(values: "pd.Series[Any]", *, exact: bool = True) -> Keys:
    """(n,) one number per value: 1, 1.0, `"1"` and `Decimal("1.00")` have the same, and so have `True` and `"true"`.

    Args:
        values: n values of any dtype.
        exact: all digits of numbers count, not the first four alone.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _moment_keys(values)
    if is_number(values):
        numbers = _double(values)
        keys = _number_keys(numbers, exact=exact)
        large = np.flatnonzero(exact & (np.abs(numbers) >= _LARGEST_EXACT) & np.isfinite(numbers))
        keys[large] = _text_keys([str(int(values.iloc[row])) for row in large])
        return keys
    codes, found = distinct(values)
    texts = ["" if is_missing(value) else _plain_text(value) for value in found] or [""]
    keys = _text_keys([_WHOLE.sub(r"\1", text) if len(text) >= _LONG else text for text in texts])
    keys[[place for place, text in enumerate(texts) if not text]] = _MISSING
    read = {place: float(text) for place, text in enumerate(texts) if _DECIMAL.fullmatch(text)}
    # longer whole numbers, such as identifiers, are distinguished as text
    places = [place for place, number in read.items() if not exact or abs(number) < _LARGEST_EXACT]
    keys[places] = _number_keys(np.array([read[place] for place in places], dtype=np.float64), exact=exact)
    return keys[codes]


def draws(keys: Keys, seed: int) -> npt.NDArray[np.float64]:
    """(n,) numbers that are spread evenly over 0 to 1, each from its key and the seed alone."""
    own = mixed(np.array([seed], dtype=np.uint64) + np.uint64(GOLDEN))
    return (mixed(keys ^ own) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def copied(keys: Keys) -> npt.NDArray[np.bool_]:
    """(n,) True for rows whose key occurs more than once."""
    return pd.Series(keys).duplicated(keep=False).to_numpy()


def summarize_copies(frame: pd.DataFrame, use_case: UseCase) -> CopiesSummary:
    """Count the copies among n rows."""
    parts = _parts(frame, use_case)
    return _summary(parts, _near_joined(parts, frame, use_case)) if parts else CopiesSummary(0, 0, 0.0, by_chance=False)


def copies_notice(
    frame: pd.DataFrame, train: Rows, test: Rows, use_case: UseCase, keys: Keys | None = None
) -> str | None:
    """What a person should know about the copies in a table that was split, and what to change.

    Args:
        frame: the n rows.
        train: positions of the training rows.
        test: positions of the test rows.
        use_case: how they were split.
        keys: (n,) what `content_keys` gave, if it was asked before.

    Returns:
        None if hardly any row is concerned, or if copies on both sides are what the columns lead one to expect.
    """
    parts = _parts(frame, use_case)
    if not parts:
        return None
    keys = _near_joined(parts, frame, use_case) if keys is None else keys
    is_together = use_case.split.method == "stratified" and use_case.split.copies == "together"
    copy = copied(keys) if is_together else np.isin(keys[test], keys[train])
    if copy.mean() < _WORTH_TELLING:
        return None
    found = _summary(parts, keys)
    if is_together:
        return _told_together(found, len(frame))
    if found.by_chance or not found.rows:
        return None
    what = f"{copy.mean():.1%} of the test rows ({copy.sum():,} of {len(copy):,}) are copies of training rows: the same"
    what += " inputs, numbers to four digits. What is measured on them may be too good"
    if use_case.split.method == "stratified":
        return f"{what}; to keep them on one side: `split.copies: together`"
    how = "time" if use_case.split.method == "time" else "group"
    return f"{what}; by {how} they are not kept on one side: if they are one case entered twice, keep one of them"


def _told_together(found: CopiesSummary, rows: int) -> str:
    what = (
        f"{found.share:.1%} of the rows ({found.rows:,} of {rows:,}) are copies, {found.different:,} of them different"
    )
    what += ": the same inputs, numbers to four digits. Copies stay on one side of the split and of every fold"
    if found.by_chance:
        return f"{what}. The columns have so few different values that rows agree by chance: set `split.copies: free`"
    return f"{what}; if they are cases of their own: `split.copies: free`"


def _summary(parts: Mapping[str, Keys], keys: Keys) -> CopiesSummary:
    having = copied(keys)
    rows = int(having.sum())
    share = rows / max(1, len(keys))
    by_chance = rows > 0 and _share_by_chance(parts, keys) >= _MOST_OF_THEM * share
    return CopiesSummary(rows, len(np.unique(keys[having])), share, by_chance)


def _share_by_chance(parts: Mapping[str, Keys], keys: Keys) -> float:
    """The share of n rows that would agree with another by chance (0 to 1).

    Estimated on the different rows alone, for copies say nothing of chance: each column is shuffled by itself, and the
    rate of agreement is scaled to n rows, as it grows with them (Poisson). Columns that go together agree more often.
    """
    _, first = np.unique(keys, return_index=True)
    draw = np.random.default_rng(0)
    shuffled = _joined({name: draw.permutation(part[first]) for name, part in parts.items()})
    alone = max(1.0 - float(copied(shuffled).mean()), 1.0 / len(first))
    return float(1.0 - alone ** (len(keys) / len(first)))


def _parts(frame: pd.DataFrame, use_case: UseCase) -> dict[str, Keys]:
    without = {*use_case.not_features, use_case.data.time}
    names = [str(name) for name in _own_columns(frame, use_case) if name not in without]
    return {name: value_keys(frame[name], exact=_is_exact(name, use_case)) for name in names}


def _own_columns(frame: pd.DataFrame, use_case: UseCase) -> list[Any]:
    """The columns without those that are computed from other rows: more rows would change them."""
    computed = {feature.name for feature in use_case.features.history}
    return [name for name in frame.columns if name not in computed]


def _near_joined(parts: Mapping[str, Keys], frame: pd.DataFrame, use_case: UseCase) -> Keys:
    """The joined keys, one for near copies too."""
    keys, exact, sizes = _joined(parts), dict(parts), []
    for name in parts:
        if _is_exact(name, use_case) or not is_number(frame[name]):
            continue
        numbers = _double(frame[name])
        if not _is_short(numbers):
            size = np.abs(numbers)
            is_plain = np.isfinite(size) & (size > 0)
            # sign, zero, infinity and missing agree exactly
            exact[name] = _number_keys(np.where(is_plain, np.sign(numbers), numbers) * 1.0, exact=True)
            sizes.append(np.log10(size, out=np.zeros_like(size), where=is_plain))
    if not sizes:
        return keys
    return join_near(keys, np.column_stack([*sizes, pd.factorize(_joined(exact))[0].astype(np.float64)]))


def _is_short(numbers: npt.NDArray[np.float64]) -> bool:
    """Whether no number has more digits than count."""
    known = numbers[np.isfinite(numbers) & (numbers != 0)]
    digits = known / _POWERS[np.floor(np.log10(np.abs(known))).astype(np.int64) + _LOWEST]
    return bool((np.abs(digits - np.round(digits)) < 1e-9 * 10**_DIGITS).all())


def _is_exact(name: str, use_case: UseCase) -> bool:
    return name in use_case.features.categorical or use_case.reading(name).type in {"text", "boolean"}


def _joined(parts: Mapping[str, Keys]) -> Keys:
    """One key of the keys of several columns; their order does not matter, their names do."""
    names = _text_keys(list(parts))
    total = np.zeros(len(next(iter(parts.values()))), dtype=np.uint64)
    for name, keys in zip(names, parts.values(), strict=True):
        total += mixed(keys ^ name)
    return mixed(total)


def _plain_text(value: Any) -> str:
    try:
        text = text_of(value)
    except ValueError:  # a list or a mapping
        text = repr(value)
    text = text.strip().casefold()
    return _BOOLEANS.get(text, text)


def _double(values: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    """Numbers in double precision; 0.1 in single precision is 0.1, not 0.10000000149."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if not re.fullmatch(r"[Ff]loat(16|32)|(half|float)\[pyarrow\]", str(values.dtype)):
        return numbers
    return np.array(numbers.astype(np.float32).astype(str), dtype=np.float64)


def _text_keys(texts: list[str]) -> Keys:
    return pd.util.hash_array(np.array(texts, dtype=object), hash_key=_HASH_KEY, categorize=False)


def _moment_keys(values: "pd.Series[Any]") -> Keys:
    moments = without_zone(values).to_numpy(dtype="datetime64[us]").view(np.uint64)
    return np.where(values.isna(), _MISSING, mixed(moments ^ _MOMENT))


def _number_keys(values: npt.NDArray[np.float64], *, exact: bool) -> Keys:
    codes = (values + 0.0).view(np.uint64) if exact else _rounded(values).view(np.uint64)
    return np.where(np.isnan(values), _MISSING, mixed(codes ^ _NUMBER))


def _rounded(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Sign, exponent and four rounded digits of each number as one."""
    size = np.abs(values)
    plain = np.isfinite(size) & (size > 0)
    known = np.where(plain, size, 1.0)
    exponent = np.floor(np.log10(known)).astype(np.int64)
    digits = np.floor(known / _POWERS[exponent + _LOWEST] + _EDGE).astype(np.int64)
    over = digits >= 10**_DIGITS
    exponent[over], digits[over] = exponent[over] + 1, 10 ** (_DIGITS - 1)
    code = ((exponent + 512) * 2 * 10**_DIGITS + digits) * 2 + (values < 0)
    return np.where(size == 0, 0, np.where(np.isinf(values), -1 - (values < 0), code))
