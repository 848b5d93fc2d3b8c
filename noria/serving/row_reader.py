"""Reading requests: JSON into typed rows, and these into the matrix of the models.

The fast path covers plain values: numbers as JSON numbers, known categories as text. All other values (an unknown
category, a number out of range, a number as text) are read by `InputSchema`, which has all the rules and messages,
so that both paths give the same result.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import GenericAlias
from typing import Annotated, Any, NamedTuple, NotRequired, TypedDict

import msgspec
import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from noria.history import HistoryState
from noria.schema import CheckedRows, Column, InputSchema
from noria.schema.category_codes import CategoryCodes
from noria.schema.row_check import check_column
from noria.serving.api import LONGEST_ENTITY, RowError
from noria.serving.event_time import EventClock
from noria.serving.http_errors import HTTPError, not_json, raise_row_errors, wrong_shape
from noria.serving.json_objects import more_objects_than
from noria.tabular.names import can_be_fields, one_note
from noria.tabular.values import number_of

Row = tuple[Any, ...]


@dataclass
class RequestRows:
    """n valid rows of a request."""

    values: list[Row]
    """The values as received, in the order of the schema's columns."""
    entities: list[str | None]
    """The cases' own identifiers."""
    matrix: NDArray[np.float64]
    """(n, p) as `InputSchema.encode` gives them."""
    warnings: list[str]
    """Per row the values that the model has not seen in training; empty if there are none."""
    ignored: list[str] = field(default_factory=list)
    """Fields that the schema does not know."""
    body: bytes | None = None
    """The body of the request, which a model with other inputs reads again."""
    places: Sequence[int] | None = None
    """The positions of these rows in the body; None: all."""
    scored: tuple[object, NDArray[np.float64]] | None = None
    """The predictor that has scored them already, and its scores."""
    times: list[float | None] | None = None
    """When each case happens, in seconds since 1970; None where a row does not say, or no row can."""

    def take(self, places: Sequence[int]) -> "RequestRows":
        """Some of the rows."""
        pick = [self.values[place] for place in places]
        entities, warnings = [self.entities[i] for i in places], [self.warnings[i] for i in places]
        times = None if self.times is None else [self.times[place] for place in places]
        matrix = self.matrix[list(places)]
        return RequestRows(pick, entities, matrix, warnings, self.ignored, self.body, places, times=times)


class RowReader:
    """Reads the rows of one schema.

    Args:
        schema: the model's inputs.
        id: the field that may carry the case's identifier.
        max_rows: maximum rows in a request.
        max_text: maximum length of a text.
        case_of: an identifier as predictions keep it.
        clock: reads the field that may carry the time of the case.
        history: the earlier cases that features are computed from, for a schema with such features. A request does not
            bring these; a value that is sent for one is ignored, and the response says so.
    """

    def __init__(
        self,
        schema: InputSchema,
        id: str | None,
        *,
        max_rows: int,
        max_text: int,
        case_of: Callable[[Any], str] = str,
        clock: EventClock | None = None,
        history: HistoryState | None = None,
    ) -> None:
        self.schema = schema
        self.names = schema.names
        """The columns of a row that has been read."""
        self.asked = [column.name for column in schema.asked]
        """The columns of a row as it is sent: all but those that are computed from earlier cases."""
        self._history = history
        self._id, self._max_rows, self._max_text, self._case_of = id, max_rows, max_text, case_of
        self._clock = clock
        self._time_place = self.names.index(clock.column) if clock is not None and clock.column in self.names else None
        self.time = clock.column if clock is not None and self._time_place is None else None
        """The field that may carry the time of the case, where that is no input."""
        self.optional = [name for name in (id, self.time) if name is not None]
        """Fields that a row may have besides the inputs."""
        self._known = {*self.asked, *self.optional}
        self._row_type: Any = _row_type(schema.asked, id, self.time, max_text)
        self._decode = _row_decoder(self._row_type)
        self._decode_any: Callable[[bytes], Any] = msgspec.json.Decoder().decode
        self._columns = _Columns(schema)

    def read(self, body: bytes) -> RequestRows:
        """The rows of a JSON body `{"rows": [{…}, …]}`.

        Raises:
            HTTPError: the body is not valid.
        """
        rows = self._read(body)
        rows.body = body
        return rows

    def _read(self, body: bytes) -> RequestRows:
        if self._decode is None:
            return self._read_slowly(body)
        try:
            rows = self._decode(body).rows
        except (msgspec.ValidationError, RecursionError):
            return self._read_slowly(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise not_json(error, body) from error
        self._check_row_count(len(rows))
        values = [astuple(row) for row in rows]
        if not self.optional:
            return self._encode_plain(values, [None] * len(values), [])
        p = len(self.asked)
        entities = [None if self._id is None else self._case(row[p]) for row in values]
        times = None if self.time is None else [row[-1] for row in values]
        return self._encode_plain([row[:p] for row in values], entities, [], times)

    def read_objects(self, rows: Sequence[Any]) -> RequestRows:
        """Rows that are objects already: `{column: value}`.

        Raises:
            HTTPError: they are not valid.
        """
        self._check_row_count(len(rows))
        problems = [problem for place, row in enumerate(rows) if (problem := self._row_problem(place, row))]
        raise_row_errors(problems, len(rows))
        pick = itemgetter(*self.asked) if len(self.asked) > 1 else lambda row: (row[self.asked[0]],)
        values = [pick(row) for row in rows]
        entities = [None if self._id is None else self._case(row.get(self._id)) for row in rows]
        ignored = sorted({name for row in rows for name in row} - self._known)
        times = None if self.time is None else [row.get(self.time) for row in rows]
        if all(self._is_plain(row) for row in rows):
            return self._encode_plain(values, entities, ignored, times)
        return self._encode_checked(values, entities, ignored, times)

    def read_columns(
        self,
        columns: Sequence[list[Any]],
        entities: list[Any],
        ignored: list[str],
        times: list[Any] | None = None,
    ) -> RequestRows:
        """n rows of a table: the columns that are sent, in the order of `asked`, as lists of single values.

        `times` are those of the field `time`, if the table has it.

        Raises:
            HTTPError: the rows are not valid.
        """
        values = list(zip(*columns, strict=True))
        self._check_lengths(values, entities)
        texts = [self._case(entity) for entity in entities]
        kinds = [column.kind for column in self.schema.asked]
        plain = all(
            kind != "number" or all(value is None or type(value) in {int, float} for value in column)
            for kind, column in zip(kinds, columns, strict=True)
        )
        encode = self._encode_plain if plain else self._encode_checked
        return encode(values, texts, ignored, times)

    def _case(self, entity: Any) -> str | None:
        """The identifier of a case; None if it has none, or a blank one."""
        return None if entity is None else self._case_of(entity) or None

    def _check_lengths(self, values: list[Row], entities: list[Any]) -> None:
        problems = []
        for place, (row, entity) in enumerate(zip(values, entities, strict=True)):
            long = [name for name, value in zip(self.asked, row, strict=True) if self._value_problem(name, value)]
            if entity is not None and len(str(entity)) > LONGEST_ENTITY:
                long.append(str(self._id))
            if long:
                problems.append(RowError(row=place, problem=f"{long[0]}: too long"))
        raise_row_errors(problems, len(values))

    def _read_slowly(self, body: bytes) -> RequestRows:
        if more_objects_than(body, self._max_rows + 1):  # the body is one itself
            self._check_row_count(self._max_rows + 1)
        try:
            found = self._decode_any(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise not_json(error, body) from error
        shape = wrong_shape(found, "rows")
        if shape is not None:
            raise shape
        return self.read_objects(found["rows"])

    def _encode_plain(
        self, values: list[Row], entities: list[str | None], ignored: list[str], times: list[Any] | None = None
    ) -> RequestRows:
        values = self._complete(values, entities)
        return self._encoded(self._columns.encode(values), values, entities, ignored, times)

    def _encode_checked(
        self, values: list[Row], entities: list[str | None], ignored: list[str], times: list[Any] | None = None
    ) -> RequestRows:
        values = self._complete(values, entities)
        return self._encoded(self._check(values), values, entities, ignored, times)

    def _encoded(
        self,
        encoded: "_Encoded | CheckedRows",
        values: list[Row],
        entities: list[str | None],
        ignored: list[str],
        times: list[Any] | None,
    ) -> RequestRows:
        _raise_errors(encoded.errors)
        rows = RequestRows(values, entities, encoded.matrix, encoded.warnings, ignored)
        if self._clock is not None:
            if self._time_place is not None:
                times = [row[self._time_place] for row in values]
            if times is not None:
                rows.times, faults = self._clock.read(times)
                for row, fault in faults.items():
                    note = f"{one_note(self._clock.column)}: {one_note(fault)}, so the time of the request stands in"
                    rows.warnings[row] = f"{rows.warnings[row]}; {note}" if rows.warnings[row] else note
        return rows

    def _complete(self, values: list[Row], entities: Sequence[str | None]) -> list[Row]:
        """The rows with the features that are computed from earlier cases."""
        return values if self._history is None else self._history.complete(self.asked, values, entities)

    def _check(self, values: list[Row]) -> CheckedRows:
        columns = map(list, zip(*values, strict=True))
        return self.schema.check_lists(dict(zip(self.names, columns, strict=True)), len(values))

    def typed(self, rows: RequestRows) -> dict[str, NDArray[Any]]:
        """The values as `CheckedRows.values` gives them, for rules."""
        return self._check(rows.values).values

    def _is_plain(self, row: dict[str, Any]) -> bool:
        try:
            msgspec.convert({name: value for name, value in row.items() if name in self._known}, self._row_type)
        except msgspec.ValidationError:
            return False
        return True

    def _row_problem(self, place: int, row: Any) -> RowError | None:
        if not isinstance(row, dict):
            return RowError(row=place, problem="must be an object")
        missing = [name for name in self.asked if name not in row]
        if missing:
            return RowError(row=place, problem=f"{', '.join(missing)}: missing")
        for name, value in row.items():
            problem = self._value_problem(name, value)
            if problem:
                return RowError(row=place, problem=f"{name[:100]}: {problem}")
        return None

    def _value_problem(self, name: str, value: Any) -> str:
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

    def _check_row_count(self, rows: int) -> None:
        if rows == 0:
            raise HTTPError(422, "rows: there are none", code="request.rows_missing", fix="send at least one row")
        if rows > self._max_rows:
            raise HTTPError(
                413,
                f"too many rows or objects in one request; at most {self._max_rows}",
                code="request.too_large",
                fix="send them in several requests",
            )


class _Encoded(NamedTuple):
    """n rows: the (n, p) matrix, and per row its errors and warnings."""

    matrix: NDArray[np.float64]
    errors: list[str]
    warnings: list[str]


class _Columns:
    """Encodes values: plain ones vectorized, unusual ones with the schema's own check."""

    def __init__(self, schema: InputSchema) -> None:
        columns = schema.columns
        self._schema = schema
        self._width = len(schema.encoded_names)
        widths = [len(schema.calendar) if column.kind == "datetime" else 1 for column in columns]
        self._starts = np.cumsum([0, *widths]).tolist()
        self._dates = [i for i, column in enumerate(columns) if column.kind == "datetime"]
        plain = [i for i, column in enumerate(columns) if column.kind != "datetime"]
        self._plain = np.array(plain)
        self._places = [self._starts[i] for i in plain]
        # encoders of categories; None for numbers
        self._code_of = [
            CategoryCodes(columns[i]).__getitem__ if columns[i].kind == "category" else None for i in plain
        ]
        self._ends = [columns[i].ends if columns[i].kind == "number" else (0.0, math.inf) for i in plain]
        self._low, self._high = np.array(self._ends).reshape(-1, 2).T

    def encode(self, values: list[Row]) -> _Encoded:
        """Encode n rows."""
        n = len(values)
        if n == 1 and not self._dates:
            return self._encode_one(values)
        rows: set[int] = set()
        columns: set[int] = set(self._dates)
        if self._dates:
            matrix = np.empty((n, self._width), dtype=np.float64)
            if self._places:
                matrix[:, self._places] = self._read(values)
        else:
            matrix = self._read(values)
        if self._places:
            numbers = matrix[:, self._places] if self._dates else matrix
            unusual = (numbers < self._low) | (numbers > self._high)
            if unusual.any():
                rows.update(np.flatnonzero(unusual.any(axis=1)).tolist())
                columns.update(self._plain[unusual.any(axis=0)].tolist())
        encoded = _Encoded(matrix, [""] * n, [""] * n)
        if self._dates or rows:
            self._check(values, range(n) if self._dates else sorted(rows), columns, encoded)
        return encoded

    def _encode_one(self, values: list[Row]) -> _Encoded:
        """`encode` for one row without dates; a plain row needs a single call of NumPy."""
        coded = zip(values[0], self._code_of, strict=True)
        read = [value if code_of is None else code_of(value) for value, code_of in coded]
        unusual = {
            place
            for place, (value, (low, high)) in enumerate(zip(read, self._ends, strict=True))
            if value is not None and not low <= value <= high
        }
        encoded = _Encoded(_matrix([read]), [""], [""])
        if unusual:
            self._check(values, [0], unusual, encoded)
        return encoded

    def _read(self, values: list[Row]) -> NDArray[np.float64]:
        """(n, c) numbers and the categories' codes; NaN for a number that is missing, -1 for an unknown category."""
        listed = list(zip(*values, strict=True))
        picked = [listed[i] for i in self._plain] if self._dates else listed
        pairs = zip(picked, self._code_of, strict=True)
        read = [column if code_of is None else list(map(code_of, column)) for column, code_of in pairs]
        return np.ascontiguousarray(_matrix(read).T)

    def _check(self, values: list[Row], rows: Sequence[int], columns: set[int], encoded: _Encoded) -> None:
        """Read some columns of some rows with the schema's check; all their other columns are plain."""
        messages: tuple[list[str], list[str]] = [""] * len(rows), [""] * len(rows)
        picked = list(rows)
        for column in sorted(columns):
            raw = [values[row][column] for row in picked]
            _, read = check_column(self._schema.columns[column], raw, self._schema.calendar, *messages)
            encoded.matrix[picked, self._starts[column] : self._starts[column + 1]] = read
        for row, error, warning in zip(picked, *messages, strict=True):
            encoded.errors[row], encoded.warnings[row] = error, warning


def _row_type(columns: Sequence[Column], id: str | None, time: str | None, max_text: int) -> Any:
    """A row of plain values: a struct, which is decoded fastest, or a typed dictionary, whose keys may be any text."""
    text = Annotated[str, msgspec.Meta(max_length=max_text)]
    kinds: dict[str, Any] = {"number": int | float | None, "category": text | int | float | bool | None}
    fields = {column.name: kinds.get(column.kind, text | None) for column in columns}
    entity = Annotated[str, msgspec.Meta(max_length=LONGEST_ENTITY)] | int | None
    moment = text | int | float | None
    if not can_be_fields((*fields, id or "", time or "")):
        optional: dict[str, Any] = {} if id is None else {id: NotRequired[entity]}
        optional |= {} if time is None else {time: NotRequired[moment]}
        make: Any = TypedDict
        return make("Row", fields | optional)
    struct: list[Any] = [(f"c{place}", kind) for place, kind in enumerate(fields.values())]
    renamed = {f"c{place}": name for place, name in enumerate(fields)}
    if id is not None:
        struct.append(("entity", entity, None))
        renamed["entity"] = id
    if time is not None:
        struct.append(("time", moment, None))
        renamed["time"] = time
    return msgspec.defstruct("Row", struct, rename=renamed, forbid_unknown_fields=True, gc=False)


def _row_decoder(row: Any) -> Callable[[bytes], Any] | None:
    """Decodes a body whose rows are structs; None for dictionaries, of which it would drop unknown keys untold."""
    if not issubclass(row, msgspec.Struct):
        return None
    body = msgspec.defstruct("Body", [("rows", GenericAlias(list, (row,)))], forbid_unknown_fields=True)
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(body).decode
    return decode


def _matrix(numbers: Sequence[Sequence[Any]]) -> NDArray[np.float64]:
    """Numbers as an array; NaN for None."""
    try:
        return np.array(numbers, dtype=np.float64)
    except OverflowError:  # a whole number with hundreds of digits, which is read as infinite
        read = [[math.nan if value is None else number_of(value) for value in each] for each in numbers]
        return np.array(read, dtype=np.float64)


def _raise_errors(errors: Sequence[str]) -> None:
    if any(errors):
        raise_row_errors([RowError(row=row, problem=error) for row, error in enumerate(errors) if error], len(errors))
