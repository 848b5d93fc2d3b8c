"""How a CSV file separates its values and marks its decimals."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

_SEPARATORS = (",", ";", "\t", "|")
_COMMA_NUMBER = re.compile(r"^[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+$")
# where commas separate, a quoted "1,234" is more likely a thousand than a fraction
_SURE_COMMA_NUMBER = re.compile(r"^[+-]?\d+,(\d{1,2}|\d{4,})$")
_POINT_NUMBER = re.compile(r"^[+-]?(\d+|\d{1,3}(,\d{3})+)\.\d+$")


@dataclass(frozen=True)
class CsvDialect:
    """Separator and decimal mark of a CSV file."""

    separator: str = ","
    decimal: str = "."


def detect_dialect(text: str, target: str = "") -> CsvDialect:
    """Guess the dialect from the first lines of a file (`text`; the last line may be cut).

    A separator counts for more if it makes the header hold `target`, and if every line gets as many values as the
    header; `csv.Sniffer` looks at neither and is easily misled by text with commas.
    """
    lines = text.splitlines(keepends=True)
    whole = "".join(lines[:-1] if len(lines) > 1 and not text.endswith(("\n", "\r")) else lines)
    tables = {separator: _rows(whole, separator) for separator in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda separator: _fit(tables[separator], target))
    return CsvDialect(best, _decimal(tables[best], best))


def _rows(text: str, separator: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    except csv.Error:
        return []


def _fit(rows: list[list[str]], target: str) -> tuple[bool, float, int]:
    if not rows or len(rows[0]) < 2:
        return False, 0.0, 0
    header = rows[0]
    same = sum(len(row) == len(header) for row in rows[1:]) / max(1, len(rows) - 1)
    return target in [name.strip() for name in header], same, len(header)


def _decimal(rows: list[list[str]], separator: str) -> str:
    comma = _COMMA_NUMBER if separator != "," else _SURE_COMMA_NUMBER
    found: Counter[str] = Counter()
    for row in rows[1:]:
        found[","] += sum(bool(comma.match(value.strip())) for value in row)
        found["."] += sum(bool(_POINT_NUMBER.match(value.strip())) for value in row)
    return "," if found[","] > found["."] else "."
