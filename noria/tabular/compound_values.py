"""Compound values as text: lists and mappings as JSON, bytes as UTF-8 or else hexadecimal digits."""

import json
from typing import Any

import numpy as np
import pandas as pd

from noria.tabular.with_columns import with_columns

_BYTES = (bytes, bytearray, memoryview)
_COMPOUND = (dict, list, tuple, set, frozenset, np.ndarray, *_BYTES)


def is_compound(kind: Any) -> bool:
    """Does an Arrow type hold lists, mappings, bytes or an extension's own values?"""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return is_compound(kind.value_type)
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return bool(is_bytes or pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType))


def as_texts(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Every present value as text; same index."""
    texts = [None if value is None or value is pd.NA else _text(value) for value in values]
    return pd.Series(texts, index=values.index, name=values.name, dtype="str")


def with_single_values(frame: pd.DataFrame) -> pd.DataFrame:
    """The table, with those columns as text whose values are compound or of kinds that no column can mix."""
    import pyarrow as pa

    changed = {}
    for name in frame.select_dtypes([object, "str"]).columns:
        values = frame[name]
        try:
            if not is_compound(pa.array(values, from_pandas=True).type):
                continue
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            pass
        changed[name] = as_texts(values.where(values.notna(), None))
    return with_columns(frame, changed)


def _text(value: Any) -> str:
    if isinstance(value, _BYTES):
        raw = bytes(value)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.hex()
    if isinstance(value, _COMPOUND):
        return json.dumps(value, default=_simpler, ensure_ascii=False)
    return str(value)


def _simpler(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return _text(value)
