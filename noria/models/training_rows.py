"""The training rows as models take them: schema, encoded matrix, and the target as codes or numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.data.window import age_weights
from noria.engines import engine_of
from noria.schema import CheckedRows, InputSchema
from noria.system.errors import NoriaError


@dataclass(frozen=True)
class TrainingRows:
    """n training rows with the schema that was learned from them."""

    schema: InputSchema
    checked: CheckedRows
    target: NDArray[Any]
    """(n,) class codes 0..k-1 as int64, or float64 numbers for regression."""
    classes: list[str]
    """The classes in the order of the scores; empty for regression."""
    task: str
    """binary, multiclass or regression."""
    weights: NDArray[np.float64] | None = None
    """(n,) how much each row weighs, by its age (`data.window`); None: all weigh the same."""


def read_training_rows(
    train: pd.DataFrame, use_case: UseCase, *, classes: list[str] | None = None, warn: bool = False
) -> TrainingRows:
    """Learn the schema from n training rows and read the rows with it.

    Args:
        train: n rows, their target present.
        use_case: names the roles of the columns.
        classes: the classes, where these rows may lack one (a fold); by default those of the rows.
        warn: report columns that are no features.

    Raises:
        NoriaError: see `InputSchema.fit`, `target_classes` and `age_weights`.
    """
    if len(train) == 0:
        raise NoriaError(
            "there are no training rows", code="training.rows_missing", where="data", fix="bring more rows"
        )
    schema = InputSchema.fit(train, use_case, warn=warn)
    found = target_classes(train, use_case) if classes is None else classes
    target = encode_target(train, use_case, found)
    weights = age_weights(train, use_case.window, use_case.data.time)
    return TrainingRows(schema, _checked(schema, train, use_case), target, found, use_case.problem.task, weights)


def _checked(schema: InputSchema, train: pd.DataFrame, use_case: UseCase) -> CheckedRows:
    """What `schema.check` gives for the whole table, to the bit, by as many tasks as the engine wants."""
    engine = engine_of(use_case.engine)
    step = engine.rows_per_task or max(len(train), 1)
    pieces = [(train.iloc[start : start + step],) for start in range(0, max(len(train), 1), step)]
    blocks = engine.map(_check_block, pieces, schema=schema)
    if len(blocks) == 1:
        return blocks[0]
    return CheckedRows(
        {name: np.concatenate([block.values[name] for block in blocks]) for name in blocks[0].values},
        np.concatenate([block.matrix for block in blocks]),
        [each for block in blocks for each in block.errors],
        [each for block in blocks for each in block.warnings],
        blocks[0].ignored,
        train.index,
    )


def _check_block(block: pd.DataFrame, *, schema: InputSchema) -> CheckedRows:
    return schema.check(block)


def target_classes(train: pd.DataFrame, use_case: UseCase) -> list[str]:
    """The classes in the order of the scores: binary [negative, positive], else sorted; empty for regression.

    Raises:
        NoriaError: a binary target has not exactly two classes, or the positive one is not among them.
    """
    problem = use_case.problem
    if problem.task == "regression":
        return []
    classes = sorted({str(value) for value in train[use_case.data.target].unique()})
    if problem.task == "multiclass":
        return classes
    positive = str(problem.positive)
    if len(classes) != 2 or positive not in classes:
        raise NoriaError(
            f"the training rows hold the classes {', '.join(classes)}; two are needed, one of them `{positive}`",
            code="training.classes_missing",
            where=f"column {use_case.data.target}",
            fix="correct problem.positive, or bring rows of both classes",
        )
    return [next(name for name in classes if name != positive), positive]


def encode_target(frame: pd.DataFrame, use_case: UseCase, classes: list[str]) -> NDArray[Any]:
    """(n,) class codes 0..k-1 as int64, or float64 numbers for regression."""
    values = frame[use_case.data.target]
    if not classes:
        return values.to_numpy(dtype=np.float64)
    codes, found = pd.factorize(values)
    return np.array([classes.index(str(value)) for value in found], dtype=np.int64)[codes]
