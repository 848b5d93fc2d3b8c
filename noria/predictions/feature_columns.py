"""The inputs of many predictions, read from JSON column by column."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

_LOOK = 50
_BLOCK = 1 << 20
"""Bytes that are read at once; more do not fit a processor's cache."""
_WHITE = " \t\r\n"


class FeatureReader:
    """Reads columns of JSON objects, part after part; the types of the last part are tried first.

    >>> FeatureReader({"city": "category", "size": "number"}).read('{"city":"Ulm","size":3}', 1)["city"].to_pylist()
    ['Ulm']

    Args:
        kinds: column → `number`, `category` or `datetime`; others are left out.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = dict(kinds)
        self._schema: pa.Schema | None = None

    def read(self, lines: str, rows: int) -> "dict[str, pa.Array | list[Any]]":
        """Column → its values, None where it is missing.

        Args:
            lines: JSON objects, one for each of the n rows.
            rows: n.

        Returns:
            Arrays where all values have one type, lists of the values as they are elsewhere.
        """
        import pyarrow as pa

        if not self._kinds:
            return {}
        text = lines.encode("utf-8", "surrogatepass")
        for known in (self._schema, None):
            try:
                schema = known or self._guessed(lines)
                found = _arrow_columns(text, schema, rows)
            except (pa.ArrowException, ValueError):
                continue
            if found is not None:
                self._schema = schema
                return found
        objects = list(_objects(lines))
        return {name: [each.get(name) for each in objects] for name in self._kinds}

    def _guessed(self, lines: str) -> "pa.Schema":
        import pyarrow as pa

        head = lines.split("\n", _LOOK)[:_LOOK]
        objects = [json.loads(line) for line in head]
        types = {}
        for name, kind in self._kinds.items():
            seen = {type(each.get(name)) for each in objects} - {type(None)}
            if len(seen) == 1 and (one := seen.pop()) in (str, bool, int):
                types[name] = {str: pa.string(), bool: pa.bool_(), int: pa.int64()}[one]
            elif seen <= {int, float} and (seen or kind == "number"):
                types[name] = pa.float64()
            else:
                types[name] = pa.string()
            if kind == "number" and types[name] == pa.int64():
                types[name] = pa.float64()
        return pa.schema(types)


def _arrow_columns(text: bytes, schema: "pa.Schema", rows: int) -> "dict[str, pa.Array | list[Any]] | None":
    """None if a line does not hold one object.

    Raises:
        ArrowException: a value is of another type, or an object is longer than a block.
    """
    import pyarrow as pa
    from pyarrow import json as arrow_json

    table = arrow_json.read_json(
        pa.BufferReader(text),
        arrow_json.ReadOptions(use_threads=False, block_size=max(_BLOCK, 2 * (len(text) // max(rows, 1)))),
        arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    if table.num_rows != rows:
        return None
    return {name: _one_chunk(table[name]) for name in schema.names}


def _one_chunk(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _objects(lines: str) -> Iterator[dict[str, Any]]:
    """Each object, even if it reaches over several lines or holds characters that are none."""
    try:
        yield from msgspec.json.decode("[" + lines.replace("\n", ",") + "]", type=list[dict[str, Any]])
        return
    except (msgspec.MsgspecError, UnicodeError):
        pass
    decoder, place = json.JSONDecoder(), 0
    while place < len(lines):
        if lines[place] in _WHITE:
            place += 1
            continue
        found, place = decoder.raw_decode(lines, place)
        yield found
