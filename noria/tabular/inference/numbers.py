"""Numbers that are written as text: their decimal mark, groups of thousands and sign, and digits that are names."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from noria.config.column_reading import ColumnReading
from noria.tabular.column_decision import ColumnDecision
from noria.tabular.column_reader import ColumnReader, number_pattern
from noria.tabular.inference.dates import read_as_whole_dates
from noria.tabular.inference.patterns import LONGEST_EXACT, PLAIN_NUMBER, WHOLE_NUMBER, all_match, matching
from noria.tabular.inference.text_column import TextColumn, filled, some_rows

_LEADING_ZERO = r"[+-]?0\d+"
_CODE_LIKE_EXPONENT = r"\d+[eE]\d+"
_NOTATIONS: list[tuple[str, str | None]] = [
    *[(".", None), (".", ","), (",", None), (",", "."), (".", " "), (",", " "), (".", "'")],
]
_SYMBOL = "%|[$€£¥₹₽₩₺₪₫₴]|(?:US|CA|AU|NZ|HK|R)\\$|[A-Z]{3}|zł|kr\\.?|Kč|Ft|лв\\.?|lei"
_AMOUNT = "[+-]?\\d[\\d.,' \u00a0\u2009\u202f]*"
_WITH_SYMBOL = re.compile(rf"(?P<sign>[+-]?)(?P<before>{_SYMBOL})?\s?(?P<number>{_AMOUNT})\s?(?P<after>{_SYMBOL})?")
_LIKE_A_NUMBER = "[^0-9A-Za-z]{0,3}\\d[\\d.,'\u2019 \u00a0\u202f]*[^0-9.,]{0,5}"
_LOOKED_AT, _FEW = 200, 5
_MOST_OF_THE_ROWS = 0.5
_SMALL_EVIDENCE = 0.05


def read_as_numbers(
    column: TextColumn, values: pd.Series[Any], *, elsewhere: list[str] | None = None
) -> ColumnReading | None:
    """The rule that reads all of these as numbers; None if there is none, or if they are codes in digits."""
    if values.empty:
        return None
    must = column.declared.type in {"number", "integer"}
    if not must and _are_codes(column, values):
        return None
    texts, symbol = values.index, column.declared.symbol
    if symbol is None and not all_match(texts, PLAIN_NUMBER):
        texts, symbol = _without_symbol(column, values)
    elif symbol:
        reader = ColumnReader(ColumnReading(symbol=symbol))
        texts = pd.Index([reader.without_symbol(text) for text in texts])
    notation = _notation(column, texts)
    if notation is None:
        return None
    decimal, thousands = notation
    whole = all_match(texts, WHOLE_NUMBER)
    if whole and not must and (whole_date := read_as_whole_dates(column, texts)) is not None:
        return whole_date
    if whole and not must and not column.raw and not symbol:
        return None  # its source says that it is text
    is_written = any(mark in text for text in texts for mark in (decimal,)) if not whole else False
    reading = filled(
        column.declared,
        type="integer" if whole and not symbol else "number",
        **({"decimal": decimal} if is_written or thousands else {}),
        **({"thousands": thousands} if thousands else {}),
        **({"symbol": symbol} if symbol else {}),
        **({"missing": elsewhere} if elsewhere else {}),
    )
    _tell_numbers(column, reading, values, elsewhere or [])
    return reading


def _are_codes(column: TextColumn, values: pd.Series[Any]) -> bool:
    """Whether the digits are names: leading zeros, more digits than a number keeps, a plus sign, or odd exponents."""
    texts, place = values.index, f"data.columns.{column.name}"
    are_digits, longest = all_match(texts, r"[+-]?\d+"), max(map(len, texts))
    zeros, signed, exponents = (matching(texts, shape) for shape in (_LEADING_ZERO, r"\+\d+", _CODE_LIKE_EXPONENT))
    if are_digits and zeros.any():
        rows = f"{int(values[zeros].sum()):,} of {column.filled_rows:,} rows (`{texts[zeros][0]}`)"
        column.decide(f"digits, with leading zeros in {rows}; read as text", 1.0, line=f"{place}: {{type: integer}}")
    elif are_digits and longest > LONGEST_EXACT:
        column.decisions.append(too_many_digits(column.name, longest))
    elif are_digits and signed.any():
        column.decide(
            f"digits after a plus sign, such as `{texts[signed][0]}`, as in telephone numbers and grades; read as text",
            1.0,
            asks=True,
            line=f"{place}: {{type: integer}}",
        )
    elif exponents.any() and all_match(texts, rf"{_CODE_LIKE_EXPONENT}|\d+"):
        column.decide(
            f"values such as `{texts[exponents][0]}` are codes as well as numbers; read as text",
            1.0,
            asks=True,
            line=f"{place}: {{type: number}}",
        )
    else:
        return False
    return True


def too_many_digits(column: str, digits: int) -> ColumnDecision:
    """The decision to read longer whole numbers than a number keeps exactly as text."""
    return ColumnDecision(
        column,
        f"whole numbers of up to {digits} digits, more than a number keeps exactly; read as text",
        line=f"data.columns.{column}: {{type: number}}",
    )


def _without_symbol(column: TextColumn, values: pd.Series[Any]) -> tuple[pd.Index, str | None]:
    """The texts without the one currency or percent sign that stands beside them, and the sign."""
    bare, symbols, with_symbol = [], set(), 0
    for text, rows in values.items():
        found = _WITH_SYMBOL.fullmatch(str(text))
        if found is None or (found["before"] and found["after"]):
            return values.index, None
        symbol = found["before"] or found["after"]
        if symbol:
            symbols.add(symbol)
            with_symbol += int(rows)
        bare.append(found["sign"] + found["number"].strip())
    if len(symbols) != 1:
        if len(symbols) > 1:
            column.decide(
                f"amounts with different signs ({', '.join(sorted(symbols))}), which cannot be compared; read as text",
                1.0,
                asks=True,
            )
        return values.index, None
    symbol = symbols.pop()
    total = int(values.sum())
    if with_symbol < total and (symbol == "%" or with_symbol < _MOST_OF_THE_ROWS * total):
        column.decide(
            f"{with_symbol:,} of {total:,} values have `{symbol}`, the others do not, so what they stand for is "
            "unclear; read as text",
            1.0,
            asks=True,
            line=f'data.columns.{column.name}: {{type: number, symbol: "{symbol}"}}',
        )
        return values.index, None
    return pd.Index(bare), symbol


def _notation(column: TextColumn, texts: pd.Index) -> tuple[str, str | None] | None:
    declared = column.declared
    fitting = [
        (decimal, thousands)
        for decimal, thousands in _NOTATIONS
        if declared.decimal in {None, decimal}
        and declared.thousands in {None, thousands}
        and all_match(texts, number_pattern(decimal, thousands))
    ]
    if not fitting:
        return None
    if (column.decimal, None) in fitting:
        grouped = (next(mark for mark in ".," if mark != column.decimal), column.decimal)
        is_marked = any(column.decimal in text for text in texts)
        if grouped in fitting and declared.decimal is None and is_marked:
            _ask_which(column, texts, column.decimal, is_fraction=True)
        return column.decimal, None
    column.is_thin = False
    same = [notation for notation in fitting if notation[0] == column.decimal]
    chosen = (same or fitting)[0]
    others = [n for n in fitting if n[0] != chosen[0] and (n[1] is None or n[1] != chosen[1])]
    thin = chosen[1] in {",", "."} and bool(others) and not any(chosen[0] in text for text in texts)
    column.is_thin = thin
    if thin:
        _ask_which(column, texts, str(chosen[1]), is_fraction=False)
    return chosen


def _ask_which(column: TextColumn, texts: pd.Index, mark: str, *, is_fraction: bool) -> None:
    """Where every value reads as a fraction and as a group of thousands, as 1.234 does."""
    example = next(text for text in texts if mark in text)
    read_as = example.replace(mark, ".") if is_fraction else example.replace(mark, "")
    other = "thousands" if is_fraction else "decimal"
    column.decide(
        f"every `{mark}` may mark thousands or a fraction, as in `{example}`; read as {read_as}",
        1.0,
        asks=True,
        line=f'data.columns.{column.name}: {{type: number, {other}: "{mark}"}}',
    )


def _tell_numbers(column: TextColumn, reading: ColumnReading, values: pd.Series[Any], elsewhere: list[str]) -> None:
    if elsewhere:
        rows, total = int(column.rows[elsewhere].sum()), column.filled_rows
        shown = ", ".join(f"`{mark}`" for mark in elsewhere)
        column.decide(
            f"{1 - rows / total:.1%} numbers, the rest ({some_rows(rows)}) is {shown}, read as missing",
            max(rows / total, _SMALL_EVIDENCE),
            line=f"data.columns.{column.name}: {{type: text}}",
        )
    if column.declared.type is not None:
        return
    if (version := _version_like(values.index)) is not None:
        column.decide(
            f"`{version}` ends in a zero, and others have fewer digits after the point, as numbers of versions do; "
            "read as numbers",
            1.0,
            asks=True,
            line=f"data.columns.{column.name}: {{type: text}}",
        )
    if reading.symbol:
        what = "percentages" if reading.symbol == "%" else f"amounts in `{reading.symbol}`"
        column.decide(
            f"{what} such as `{values.index[0]}`; read as numbers, {_example(reading, values.index[0])}",
            1.0,
            line=f"data.columns.{column.name}: {{type: text}}",
        )
    elif column.is_thin:
        return
    elif reading.thousands or (reading.decimal or column.decimal) != column.decimal:
        marks = [f"decimal mark `{reading.decimal}`"] if reading.decimal else []
        marks += [f"thousands grouped by `{reading.thousands}`"] if reading.thousands else []
        example = next((t for t in values.index if reading.thousands and reading.thousands in t), values.index[0])
        column.decide(
            f"{' and '.join(marks)}: `{example}` is {_example(reading, example)}",
            1.0,
            line=f"data.columns.{column.name}: {{type: text}}",
        )


def _version_like(texts: pd.Index) -> str | None:
    """A text such as 1.10 beside 1.9: numbers are written with as many digits as they need, or all with the same."""
    ended = texts[matching(texts, r"\d{1,3}\.\d+0")]
    if not len(ended) or not all_match(texts, r"\d{1,3}(\.\d{1,3})?"):
        return None
    digits = min(len(str(text).partition(".")[2]) for text in texts if "." in text)
    return next((str(text) for text in ended if len(text.partition(".")[2]) > digits), None)


def tell_likely_numbers(column: TextColumn) -> None:
    """Note that texts such as (1,234.50), 12.5 kg or 12,34,567.50 hold numbers in a form that is not read."""
    texts = column.values.index[:_LOOKED_AT]
    if len(texts) < _FEW or not all_match(texts, _LIKE_A_NUMBER):
        return
    if matching(texts, ".*\\d[.,'\u2019 ]\\d.*").mean() > _MOST_OF_THE_ROWS:
        column.decide(
            f"values such as `{texts[0]}` hold numbers, but in a form that is not read; read as text",
            1.0,
            asks=True,
            line=f"features.exclude: [{column.name}], or write plain numbers into the table",
        )


def _example(reading: ColumnReading, text: str) -> str:
    return f"{ColumnReader(reading).number(text):.10g}"
