"""Arrow columns straight into the matrix that models take.

It covers plain values: numbers in columns of numbers, texts, whole numbers and truth values in categories. Rows with
anything else are left to `InputSchema.check`, as are whole tables with columns of other types.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.schema import Column, InputSchema
from noria.schema.category_codes import CategoryCodes

if TYPE_CHECKING:
    import pyarrow as pa


def encode_table(schema: InputSchema, table: "pa.Table") -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """The encoded rows of a table, and which of them must be checked one by one.

    Returns:
        (n, p) as `InputSchema.encode` gives it, except for the rows that are not plain; and (n,) which these are.
        None if a column's type is covered by the plain path alone.
    """
    if any(not _is_covered(column, table[column.name].type) for column in schema.columns):
        return None
    matrix = np.empty((table.num_rows, len(schema.columns)), dtype=np.float64)
    unusual = np.zeros(table.num_rows, dtype=bool)
    for place, column in enumerate(schema.columns):
        values = table[column.name].combine_chunks()
        if column.kind == "number":
            numbers = values.cast("float64", safe=False).to_numpy(zero_copy_only=False)
            matrix[:, place] = numbers
            unusual |= _outside(column, numbers)
        else:
            codes = _codes(column, values)
            matrix[:, place] = codes
            unusual |= codes < 0
    return matrix, unusual


def _is_covered(column: Column, kind: "pa.DataType") -> bool:
    import pyarrow as pa

    if column.kind == "number":
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    plain = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)
    return column.kind == "category" and bool(plain or pa.types.is_boolean(kind))


def _outside(column: Column, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    low, high = column.ends
    outside: NDArray[np.bool_] = (numbers < low) | (numbers > high)
    return outside


def _codes(column: Column, values: Any) -> NDArray[np.float64]:
    import pyarrow as pa

    folded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    known = CategoryCodes(column)
    # a place of its own at the end for what is null; a dictionary may hold null too
    codes = np.array([known[value] for value in folded.dictionary.to_pylist()] + [known[None]], dtype=np.float64)
    places = folded.indices.cast("int64").fill_null(len(codes) - 1)
    found: NDArray[np.float64] = codes[places.to_numpy(zero_copy_only=False)]
    return found
