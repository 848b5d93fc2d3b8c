"""The cases that travel with a model, so that its history features are known from the first request on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from noria.config.history import HistorySpec
from noria.history.cases import NO_TIME, Cases, read_cases
from noria.history.table import label_numbers
from noria.schema import InputSchema
from noria.system.errors import NoriaError

if TYPE_CHECKING:
    import pandas as pd


class _Seed(msgspec.Struct, frozen=True):
    times: bytes
    keys: dict[str, tuple[bytes, list[str | None]]]
    numbers: dict[str, bytes]
    labels: list[str]
    entities: list[str | None]


def newest_cases(
    train: pd.DataFrame, schema: InputSchema, entities: Sequence[str | None]
) -> tuple[Cases, list[str | None]]:
    """The rows that features of later cases may still look back to, and their identifiers.

    Args:
        train: n learned rows with their target.
        schema: names the features and how columns are read.
        entities: (n,) the identifiers of the cases.
    """
    spec = schema.history
    assert spec is not None  # noqa: S101 - asked for models with history features only
    columns = {column.name: column for column in schema.columns}
    cases = read_cases(spec, columns, {name: train[name] for name in spec.inputs})
    if spec.uses_target:
        cases = cases.with_target(spec.target, label_numbers(train[spec.target], spec))
    newest = cases.times.max(initial=NO_TIME)
    kept = np.flatnonzero((cases.times != NO_TIME) & (cases.times >= newest - spec.longest_us))
    return cases.take(kept).without_unused_keys(), [entities[place] for place in kept.tolist()]


def pack_seed(cases: Cases, entities: Sequence[str | None]) -> bytes:
    """Cases with their identifiers as MessagePack, which runs no code when it is read."""
    keys = {name: (_packed(codes.astype("<i8")), list(texts)) for name, (codes, texts) in cases.keys.items()}
    numbers = {name: _packed(values.astype("<f8")) for name, values in cases.numbers.items()}
    return msgspec.msgpack.encode(
        _Seed(_packed(cases.times.astype("<i8")), keys, numbers, sorted(cases.labels), list(entities))
    )


def unpack_seed(content: bytes) -> tuple[Cases, list[str | None]]:
    """Cases as they were packed.

    Raises:
        NoriaError: the content is something else.
    """
    try:
        seed = msgspec.msgpack.decode(content, type=_Seed)
        times = np.frombuffer(seed.times, "<i8").astype(np.int64)
        keys = {
            name: (_codes(codes, len(texts), len(times)), list(texts)) for name, (codes, texts) in seed.keys.items()
        }
        numbers = {name: np.frombuffer(values, "<f8").astype(np.float64) for name, values in seed.numbers.items()}
        if {len(seed.entities), *map(len, numbers.values())} != {len(times)}:
            raise ValueError("its columns differ in length")
    except (msgspec.MsgspecError, ValueError) as error:
        raise NoriaError(
            f"the earlier cases of the model cannot be read: {error}",
            code="history.seed_unreadable",
            fix="fetch the bundle again, or train again",
        ) from error
    return Cases(times, keys, numbers, frozenset(seed.labels)), seed.entities


def _packed(values: NDArray[np.generic]) -> bytes:
    return np.ascontiguousarray(values).tobytes()


def _codes(content: bytes, texts: int, rows: int) -> NDArray[np.intp]:
    codes = np.frombuffer(content, "<i8").astype(np.intp)
    if len(codes) != rows or (rows and not 0 <= codes.min() <= codes.max() < texts):
        raise ValueError("a key is not among its texts")
    return codes


def spec_of(schema: InputSchema) -> HistorySpec:
    """The history features of a schema that has some."""
    assert schema.history is not None  # noqa: S101 - asked for models with history features only
    return schema.history
