"""The history features of the rows of a file: of the cases that the model brings, and of the file itself."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from noria.batch.chunk import Chunk
from noria.bundle import Bundle
from noria.history.cases import Cases


def file_history(bundle: Bundle, chunks: Iterator[Chunk]) -> pd.DataFrame | None:
    """The features of all rows, in their order; None for a model without such features.

    Only the columns that they are computed from are in memory at once. Labels are those that the model has learned: a
    file brings none.

    Args:
        bundle: the model.
        chunks: all rows of the file.
    """
    spec, state = bundle.manifest.schema_.history, bundle.history
    if spec is None or state is None:
        return None
    parts: list[Cases] = []
    entities: list[str | None] = []
    for chunk in chunks:
        parts.append(state.read({name: chunk.inputs[name] for name in spec.inputs}))
        entities += _entities(bundle, chunk)
    if not parts:
        return None  # an empty file, which is refused
    cases = _joined(parts)
    return pd.DataFrame(dict(zip(spec.names, state.features(cases, entities), strict=True)))


def _entities(bundle: Bundle, chunk: Chunk) -> list[str | None]:
    id = bundle.manifest.id
    if id is None or id not in chunk.raw.columns:
        return [None] * len(chunk.raw)
    codes, texts, _ = bundle.manifest.case_reader.read_texts(chunk.raw[id])
    return [texts[code] or None for code in codes.tolist()]


def _joined(parts: list[Cases]) -> Cases:
    first = parts[0]
    keys = {}
    for name in first.keys:
        starts = np.cumsum([0, *(len(part.keys[name][1]) for part in parts)])
        codes = [part.keys[name][0] + start for part, start in zip(parts, starts, strict=False)]
        keys[name] = np.concatenate(codes), [text for part in parts for text in part.keys[name][1]]
    numbers = {name: np.concatenate([part.numbers[name] for part in parts]) for name in first.numbers}
    return Cases(np.concatenate([part.times for part in parts]), keys, numbers)
