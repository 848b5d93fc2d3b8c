"""What a bundle answers to a chunk of rows, as Arrow columns."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.batch.arrow_encoding import encode_table
from noria.batch.chunk import Chunk
from noria.bundle import Bundle
from noria.bundle.answers import build_predictions
from noria.tabular.with_columns import with_columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NAMES = ("prediction", "probability", "decision", "warning", "error")


@dataclass(frozen=True)
class PredictedChunk:
    """n answered rows."""

    chunk: Chunk
    columns: "dict[str, pa.Array]"
    """NAMES → (n,)"""
    bad: NDArray[np.bool_]
    """(n,) rows without a prediction."""
    warned: int
    """Rows with something that the model has not seen in training."""


def predict_chunks(
    bundle: Bundle, chunks: Iterator[Chunk], cores: int, history: "pd.DataFrame | None" = None
) -> Iterator[PredictedChunk]:
    """The chunks' answers in order; as many chunks as there are cores are worked on at once.

    `history` holds the features of earlier cases, a row for each row of the file, see `file_history`.
    """
    ahead: deque[Future[PredictedChunk]] = deque()
    with ThreadPoolExecutor(cores) as threads:
        try:
            for chunk in chunks:
                ahead.append(threads.submit(predict_chunk, bundle, chunk, history))
                if len(ahead) > cores:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for waiting in ahead:
                waiting.cancel()


def predict_chunk(bundle: Bundle, chunk: Chunk, history: "pd.DataFrame | None" = None) -> PredictedChunk:
    """Answer all rows; the plain ones without a table in between, where the model is no set of rules."""
    encoded = encode_table(bundle.manifest.schema_, chunk.kept) if _is_quick(bundle, chunk) else None
    if encoded is None:
        return _of_table(bundle, chunk, _plain(bundle, chunk, history))
    matrix, unusual = encoded
    columns = _columns(bundle, matrix)
    rows = np.flatnonzero(unusual)
    if len(rows):
        checked = bundle.predict(chunk.read(chunk.kept.take(rows))[0])
        for name in ("prediction", "probability", "decision"):
            columns[name][rows] = checked[name].to_numpy(dtype=columns[name].dtype)
    warnings, errors = (np.full(len(matrix), "", dtype=object) for _ in range(2))
    if len(rows):
        warnings[rows], errors[rows] = checked["warning"].to_numpy(), checked["error"].to_numpy()
    return _arrow(bundle, chunk, columns | {"warning": warnings, "error": errors})


def _is_quick(bundle: Bundle, chunk: Chunk) -> bool:
    return chunk.is_typed and bundle.manifest.kind != "rules" and bundle.manifest.schema_.history is None


def _columns(bundle: Bundle, matrix: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    manifest = bundle.manifest
    return build_predictions(bundle.fitted.scores_encoded(matrix), manifest.task, manifest.classes, manifest.policy)


def _plain(bundle: Bundle, chunk: Chunk, history: "pd.DataFrame | None") -> "pd.DataFrame":
    inputs = chunk.inputs
    if history is not None:
        start = chunk.first - 1
        own = history.iloc[start : start + len(inputs)].set_axis(inputs.index)
        inputs = with_columns(inputs, {str(name): own[name] for name in own.columns})
    answers = bundle.predict(inputs)
    if chunk.faults:
        rows = list(chunk.faults)
        answers.loc[rows, ["prediction", "decision"]] = None
        answers.loc[rows, "probability"] = np.nan
        answers.loc[rows, "warning"] = ""
        answers.loc[rows, "error"] = list(chunk.faults.values())
    return answers


def _of_table(bundle: Bundle, chunk: Chunk, answers: "pd.DataFrame") -> PredictedChunk:
    return _arrow(bundle, chunk, {name: answers[name].to_numpy() for name in NAMES})


def column_types(bundle: Bundle) -> "dict[str, pa.DataType]":
    """NAMES → the type of the column."""
    import pyarrow as pa

    is_number = bundle.manifest.task == "regression"
    types = dict.fromkeys(NAMES, pa.string()) | {"probability": pa.float64()}
    return types | {"prediction": pa.float64() if is_number else pa.string()}


def _arrow(bundle: Bundle, chunk: Chunk, columns: dict[str, NDArray[Any]]) -> PredictedChunk:
    import pyarrow as pa

    types = column_types(bundle)
    arrays = {name: pa.array(columns[name], types[name], from_pandas=True) for name in NAMES}
    bad = np.asarray(columns["error"] != "", dtype=bool)
    return PredictedChunk(chunk, arrays, bad, int((columns["warning"] != "").sum()))
