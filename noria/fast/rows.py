"""Reading requests: JSON straight into typed rows, and these into the matrix that models take.

The quick way covers plain values: numbers as JSON numbers, known categories as text. Whatever else a row holds (an
unknown category, a number out of range, a number written as text) is read by `InputSchema`, which knows all the
rules and the words for them, so that both ways read the same.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from types import GenericAlias
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from noria.api import LONGEST_ENTITY, Problem
from noria.fast.codes import Codes
from noria.fast.refusals import Wrong, not_json, refuse_rows, wrong_shape
from noria.schema import Checked, InputSchema
from noria.schema.check import check_column
from noria.schema.values import LARGEST, number_of

Row = tuple[Any, ...]


@dataclass
class Rows:
    """n rows of a request, all of them readable."""

    values: list[Row]
    """The values as they came, in the order of the schema's columns."""
    entities: list[str | None]
    """The cases' own identifiers."""
    matrix: NDArray[np.float64]
    """(n, p) as `InputSchema.encode` gives them."""
    warnings: list[str]
    """Per row what the model has not seen in training; empty when there is nothing."""
    ignored: list[str] = field(default_factory=list)
    """Fields that the schema does not know."""
    body: bytes | None = None
    """The request that they came with, which a model with other inputs reads for itself."""
    places: Sequence[int] | None = None
    """Which of its rows they are; None: all."""

    def take(self, places: Sequence[int]) -> "Rows":
        """Some of the rows."""
        pick = [self.values[place] for place in places]
        entities, warnings = [self.entities[i] for i in places], [self.warnings[i] for i in places]
        return Rows(pick, entities, self.matrix[list(places)], warnings, self.ignored, self.body, places)


class RowReader:
    """Reads the rows of one schema.

    Args:
        schema: the model's inputs.
        id: the field that may carry the case's identifier.
        max_rows: most rows in a request.
        max_text: longest text, in characters.
    """

    def __init__(self, schema: InputSchema, id: str | None, *, max_rows: int, max_text: int) -> None:
        self.schema = schema
        self.names = schema.names
        self._id, self._max_rows, self._max_text = id, max_rows, max_text
        self._known = {*self.names, *([id] if id is not None else [])}
        self._row_type: Any = _row_type(schema, id, max_text)
        body = msgspec.defstruct("Body", [("rows", GenericAlias(list, (self._row_type,)))], forbid_unknown_fields=True)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(body).decode
        self._anything: Callable[[bytes], Any] = msgspec.json.Decoder().decode
        self._all = _getter([f"c{place}" for place in range(len(self.names))])
        self._columns = _Columns(schema)

    def read(self, body: bytes) -> Rows:
        """The rows of a JSON body `{"rows": [{…}, …]}`.

        Raises:
            Wrong: what is wrong with it, with the HTTP status that says so.
        """
        rows = self._read(body)
        rows.body = body
        return rows

    def _read(self, body: bytes) -> Rows:
        try:
            rows = self._decode(body).rows
        except (msgspec.ValidationError, RecursionError):
            return self._read_anything(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise not_json(error) from error
        self._refuse_number(len(rows))
        values = [self._all(row) for row in rows]
        entities = [None if self._id is None else _text(row.entity) for row in rows]
        return self._matched(values, entities, [])

    def read_objects(self, rows: Sequence[Any]) -> Rows:
        """Rows that are objects already: `{column: value}`.

        Raises:
            Wrong: what is wrong with them.
        """
        self._refuse_number(len(rows))
        problems = [problem for place, row in enumerate(rows) if (problem := self._problem(place, row))]
        refuse_rows(problems, len(rows))
        pick = itemgetter(*self.names) if len(self.names) > 1 else lambda row: (row[self.names[0]],)
        values = [pick(row) for row in rows]
        entities = [None if self._id is None else _text(row.get(self._id)) for row in rows]
        ignored = sorted({name for row in rows for name in row} - self._known)
        if all(self._is_plain(row) for row in rows):
            return self._matched(values, entities, ignored)
        return self._checked(values, entities, ignored)

    def read_columns(self, columns: Sequence[list[Any]], entities: list[Any], ignored: list[str]) -> Rows:
        """n rows of a table: the schema's columns, in their order, as lists of single values.

        Raises:
            Wrong: what is wrong with the rows.
        """
        values = list(zip(*columns, strict=True))
        self._refuse_long(values, entities)
        texts = [_text(entity) for entity in entities]
        kinds = [column.kind for column in self.schema.columns]
        plain = all(
            kind != "number" or all(value is None or type(value) in {int, float} for value in column)
            for kind, column in zip(kinds, columns, strict=True)
        )
        return self._matched(values, texts, ignored) if plain else self._checked(values, texts, ignored)

    def _refuse_long(self, values: list[Row], entities: list[Any]) -> None:
        problems = []
        for place, (row, entity) in enumerate(zip(values, entities, strict=True)):
            long = [name for name, value in zip(self.names, row, strict=True) if self._wrong(name, value)]
            if entity is not None and len(str(entity)) > LONGEST_ENTITY:
                long.append(str(self._id))
            if long:
                problems.append(Problem(row=place, problem=f"{long[0]}: too long"))
        refuse_rows(problems, len(values))

    def _read_anything(self, body: bytes) -> Rows:
        try:
            found = self._anything(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise not_json(error) from error
        shape = wrong_shape(found, "rows")
        if shape is not None:
            raise shape
        return self.read_objects(found["rows"])

    def _matched(self, values: list[Row], entities: list[str | None], ignored: list[str]) -> Rows:
        encoded = self._columns.encode(values)
        _refuse_errors(encoded.errors)
        return Rows(values, entities, encoded.matrix, encoded.warnings, ignored)

    def _checked(self, values: list[Row], entities: list[str | None], ignored: list[str]) -> Rows:
        checked = self._check(values)
        _refuse_errors(checked.errors)
        return Rows(values, entities, checked.matrix, checked.warnings, ignored)

    def _check(self, values: list[Row]) -> Checked:
        columns = map(list, zip(*values, strict=True))
        return self.schema.check_lists(dict(zip(self.names, columns, strict=True)), len(values))

    def typed(self, rows: Rows) -> dict[str, NDArray[Any]]:
        """The values as `Checked.values` gives them, for rules."""
        return self._check(rows.values).values

    def _is_plain(self, row: dict[str, Any]) -> bool:
        try:
            msgspec.convert({name: value for name, value in row.items() if name in self._known}, self._row_type)
        except msgspec.ValidationError:
            return False
        return True

    def _problem(self, place: int, row: Any) -> Problem | None:
        if not isinstance(row, dict):
            return Problem(row=place, problem="must be an object")
        absent = [name for name in self.names if name not in row]
        if absent:
            return Problem(row=place, problem=f"{', '.join(absent)}: missing")
        for name, value in row.items():
            said = self._wrong(name, value)
            if said:
                return Problem(row=place, problem=f"{name[:100]}: {said}")
        return None

    def _wrong(self, name: str, value: Any) -> str:
        if isinstance(value, dict | list):
            return "must be a number, a text, true, false or null"
        if isinstance(value, str) and len(value) > self._max_text:
            return f"longer than {self._max_text} characters"
        if name == self._id:
            if isinstance(value, bool | float):
                return "must be a whole number, a text or null"
            if value is not None and len(str(value)) > LONGEST_ENTITY:
                return f"longer than {LONGEST_ENTITY} characters"
        return ""

    def _refuse_number(self, rows: int) -> None:
        if rows == 0:
            raise Wrong(422, "rows: there are none", fix="send at least one row")
        if rows > self._max_rows:
            raise Wrong(
                413, f"{rows} rows in one request; at most {self._max_rows}", fix="send them in several requests"
            )


class _Encoded(NamedTuple):
    """n rows: the (n, p) matrix, and per row what is wrong with it and what is unusual."""

    matrix: NDArray[np.float64]
    errors: list[str]
    warnings: list[str]


class _Columns:
    """Encodes values: the plain ones at once, what is unusual as the schema's own check does."""

    def __init__(self, schema: InputSchema) -> None:
        columns = schema.columns
        self._schema = schema
        self._width = len(schema.encoded_names)
        self._widths = [len(schema.calendar) if column.kind == "datetime" else 1 for column in columns]
        self._starts = np.cumsum([0, *self._widths]).tolist()
        by_kind = {kind: [i for i, c in enumerate(columns) if c.kind == kind] for kind in ("number", "category")}
        self._numbers, self._categories = _getter_at(by_kind["number"]), _getter_at(by_kind["category"])
        self._number_places = schema.places("number")
        self._category_places = schema.places("category")
        ends = [(columns[i].minimum, columns[i].maximum) for i in by_kind["number"]]
        self._low = np.array([-LARGEST if low is None or high is None else low for low, high in ends])
        self._high = np.array([LARGEST if low is None or high is None else high for low, high in ends])
        self._codes = [Codes(columns[i]) for i in by_kind["category"]]
        self._number_columns, self._category_columns = np.array(by_kind["number"]), np.array(by_kind["category"])
        self._dates = [i for i, column in enumerate(columns) if column.kind == "datetime"]

    def encode(self, values: list[Row]) -> _Encoded:
        """Encode n rows."""
        n = len(values)
        matrix = np.empty((n, self._width), dtype=np.float64)
        rows: set[int] = set()
        columns: set[int] = set(self._dates)
        if self._number_places:
            numbers = _floats([self._numbers(row) for row in values])
            matrix[:, self._number_places] = numbers
            _note((numbers < self._low) | (numbers > self._high), self._number_columns, rows, columns)
        if self._codes:
            codes = self._codes
            found = np.array(
                [[code[value] for code, value in zip(codes, self._categories(row), strict=True)] for row in values]
            )
            matrix[:, self._category_places] = found
            _note(found < 0, self._category_columns, rows, columns)
        encoded = _Encoded(matrix, [""] * n, [""] * n)
        if self._dates or rows:
            self._check(values, range(n) if self._dates else sorted(rows), columns, encoded)
        return encoded

    def _check(self, values: list[Row], rows: Sequence[int], columns: set[int], encoded: _Encoded) -> None:
        """Let the schema's check read some columns of some rows anew; all other columns of these rows are plain."""
        said: tuple[list[str], list[str]] = [""] * len(rows), [""] * len(rows)
        picked = list(rows)
        for column in sorted(columns):
            raw = [values[row][column] for row in picked]
            _, read = check_column(self._schema.columns[column], raw, self._schema.calendar, *said)
            encoded.matrix[picked, self._starts[column] : self._starts[column + 1]] = read
        for row, error, warning in zip(picked, *said, strict=True):
            encoded.errors[row], encoded.warnings[row] = error, warning


def _note(unusual: NDArray[np.bool_], places: NDArray[np.intp], rows: set[int], columns: set[int]) -> None:
    """Add the rows and the columns of what is unusual."""
    if unusual.any():
        rows.update(np.flatnonzero(unusual.any(axis=1)).tolist())
        columns.update(places[unusual.any(axis=0)].tolist())


def _row_type(schema: InputSchema, id: str | None, max_text: int) -> type[Any]:
    text = Annotated[str, msgspec.Meta(max_length=max_text)]
    kinds: dict[str, Any] = {"number": int | float | None, "category": text | int | float | bool | None}
    fields: list[Any] = []
    renamed = {}
    for place, column in enumerate(schema.columns):
        fields.append((f"c{place}", kinds.get(column.kind, text | None)))
        renamed[f"c{place}"] = column.name
    if id is not None:
        entity = Annotated[str, msgspec.Meta(max_length=LONGEST_ENTITY)] | int | None
        fields.append(("entity", entity, None))
        renamed["entity"] = id
    return msgspec.defstruct("Row", fields, rename=renamed, forbid_unknown_fields=True, gc=False)


def _getter(names: Sequence[str]) -> Callable[[Any], Row]:
    if len(names) == 1:
        return lambda row: (getattr(row, names[0]),)
    return attrgetter(*names)


def _getter_at(places: Sequence[int]) -> Callable[[Row], Row]:
    if len(places) <= 1:
        return lambda row: tuple(row[place] for place in places)
    return itemgetter(*places)


def _floats(rows: list[Row]) -> NDArray[np.float64]:
    """(n, a) numbers; NaN for None."""
    try:
        return np.array(rows, dtype=np.float64)
    except OverflowError:  # a whole number with hundreds of digits, which counts as infinite
        read = [[math.nan if value is None else number_of(value) for value in row] for row in rows]
        return np.array(read, dtype=np.float64)


def _text(entity: str | int | None) -> str | None:
    return None if entity is None else str(entity)


def _refuse_errors(errors: Iterable[str]) -> None:
    listed = list(errors)
    refuse_rows([Problem(row=row, problem=error) for row, error in enumerate(listed) if error], len(listed))
