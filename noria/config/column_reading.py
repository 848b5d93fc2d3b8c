"""`data.columns`: how the values of a column are read, from any file, query or request."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from noria.config.section import Section

ReadingType = Literal["number", "integer", "text", "boolean", "date"]
ISO, EPOCH_S, EPOCH_MS = "ISO8601", "epoch_s", "epoch_ms"


def _date(value: object) -> object:
    return "date" if value == "datetime" else value


def _date_format(form: str) -> str:
    if form in {ISO, EPOCH_S, EPOCH_MS}:
        return form
    has_year = "%Y" in form or "%y" in form
    has_month = any(part in form for part in ("%m", "%b", "%B"))
    if not (has_year and has_month and "%d" in form):
        raise ValueError(
            f"a date's format is {ISO}, {EPOCH_S}, {EPOCH_MS}, or holds year, month and day, such as %d/%m/%Y"
        )
    return form


class ColumnReading(Section):
    """How the values of one column are read. What is not given is learned from all rows of the table."""

    type: Annotated[ReadingType | None, BeforeValidator(_date)] = None
    """`number`, `integer`, `text`, `boolean` or `date` (with or without a time of day)."""
    format: Annotated[str, AfterValidator(_date_format)] | None = None
    """Of dates that are written otherwise than in ISO 8601: `%d/%m/%Y` and so on (the directives of Python's
    strptime), `%Y%m%d` for whole numbers such as 20240131, `epoch_s` or `epoch_ms` for seconds or milliseconds since
    1970. ISO 8601 is read besides."""
    timezone: Literal["none", "offset"] | None = None
    """Of dates: `none` if they are local times without an offset from UTC, `offset` if each has one."""
    decimal: Literal[".", ","] | None = None
    """Decimal mark of numbers that are written as text; by default that of the file."""
    thousands: Literal[",", ".", " ", "'"] | None = None
    """What groups the digits of large numbers that are written as text."""
    symbol: str | None = None
    """The currency or percent sign beside numbers that are written as text; 57 % is the number 57."""
    missing: list[str] | None = None
    """Texts that stand for a missing value. A blank always does. By default `NA`, `N/A`, `NaN`, `NULL`, `None` and
    their like do; numbers and dates know these besides the ones that are listed here."""
    whole_numbers: bool | None = None
    """Of text: whether the categories are whole numbers, so that 1, 1.0 and "1.0" are the category `1`."""
