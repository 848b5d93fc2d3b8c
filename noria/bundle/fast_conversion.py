"""Bringing a fitted model into its fast form, when a bundle is written; needs the training environment.

Trees become ONNX by the converters of the ONNX project (onnxmltools, skl2onnx). Their documents warn that single
precision may move a row over a threshold, so the result is compared with the model on real rows before it is taken.
"""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle.background_sample import sample_background
from noria.bundle.fast_format import FAST, TREES, FastFormat, StoredArray, pack_transform
from noria.bundle.fast_model import FastModel, texts_or_numbers
from noria.models.estimators import trees_of
from noria.models.fitted_model import FittedModel
from noria.models.model_storage import RULES, dump_model
from noria.system import progress
from noria.system.errors import first_line
from noria.tabular.values import LARGEST

TOLERANCE = 1e-6
_BACKGROUND = 64
_OPSET = {"": 17, "ai.onnx.ml": 3}


def fast_files(fitted: FittedModel, rows: pd.DataFrame) -> dict[str, bytes]:
    """File name → content of the fast form; empty, with a warning, where the model has none.

    Args:
        fitted: the model.
        rows: real rows, on which both forms must agree to 1e-6; some of them travel along for explanations.
    """
    background = _background(fitted, rows)
    try:
        files = _files(fitted, background)
        worst = _difference(fitted, files, rows)
    except Exception as error:  # a converter may fail in any way; the plain path is always there
        progress.warn(f"this model is served by the plain path, which is slower: {first_line(error)[:200]}")
        return {}
    if not worst <= TOLERANCE:
        progress.warn(f"this model is served by the plain path, which is slower: its fast form is off by {worst:.1e}")
        return {}
    return files


def _files(fitted: FittedModel, background: dict[str, list[str | float | None]]) -> dict[str, bytes]:
    if fitted.rules is not None:
        return {FAST: _packed(FastFormat(None, background))}
    assert fitted.pipeline is not None  # noqa: S101 - every other kind has one
    prepare = pack_transform(fitted.pipeline[0].fitted)
    if fitted.kind == "dummy":
        one = fitted.scores_prepared(np.zeros((1, 1)))[0]
        return {FAST: _packed(FastFormat(prepare, background, bias=StoredArray.of(np.asarray(one, dtype=np.float64))))}
    if fitted.kind == "linear":
        weights, bias = _linear(fitted.pipeline[-1], fitted.task)
        return {FAST: _packed(FastFormat(prepare, background, StoredArray.of(weights), StoredArray.of(bias)))}
    graph, output = _booster(fitted) if fitted.booster is not None else _forest(fitted)
    return {FAST: _packed(FastFormat(prepare, background, output=output)), TREES: graph}


def _linear(estimator: Any, task: str) -> tuple[NDArray[Any], NDArray[Any]]:
    if task == "regression":
        return np.ravel(estimator.coef_), np.asarray(float(np.ravel(estimator.intercept_)[0]))
    if len(estimator.classes_) == 2:
        return estimator.coef_[0], np.asarray(estimator.intercept_[0])
    return estimator.coef_.T, estimator.intercept_


def _booster(fitted: FittedModel) -> tuple[bytes, str]:
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    columns = fitted.booster.num_features()
    with _quiet():
        graph = convert_xgboost(fitted.booster, initial_types=[("rows", FloatTensorType([None, columns]))])
    _base_first(graph)
    _codes_from_one(graph)
    return graph.SerializeToString(), graph.graph.output[-1].name


def _base_first(graph: Any) -> None:
    """Add the base score to the first tree's leaves: XGBoost starts its sum in single precision with it, ONNX Runtime
    adds it last, and the difference would show in the sixth digit."""
    import onnx

    node = graph.graph.node[0]
    kind = "class" if node.op_type == "TreeEnsembleClassifier" else "target"
    fields = {attribute.name: attribute for attribute in node.attribute}
    base = fields.get("base_values")
    if base is None:
        return
    trees, ids = fields[f"{kind}_treeids"].ints, fields[f"{kind}_ids"].ints
    weights = np.array(fields[f"{kind}_weights"].floats, dtype=np.float32)
    first: dict[int, int] = {}
    for tree, owner in zip(trees, ids, strict=True):
        first[owner] = min(tree, first.get(owner, tree))
    bases = np.array(base.floats, dtype=np.float32)
    for place, (tree, owner) in enumerate(zip(trees, ids, strict=True)):
        if tree == first[owner]:
            weights[place] += bases[owner if owner < len(bases) else 0]
    fields[f"{kind}_weights"].CopyFrom(onnx.helper.make_attribute(f"{kind}_weights", weights.tolist()))
    node.attribute.remove(base)


def _codes_from_one(graph: Any) -> None:
    """Count categories' codes from 1 within the graph.

    ONNX Runtime makes one look-up of a chain of equalities only where all their values are at least 1
    (tree_ensemble_common.h), and a split by categories is such a chain.
    """
    import onnx

    node = graph.graph.node[0]
    fields = {attribute.name: attribute for attribute in node.attribute}
    modes, columns = np.array(fields["nodes_modes"].strings), np.array(fields["nodes_featureids"].ints)
    equalities = modes == b"BRANCH_EQ"
    if not equalities.any():
        return
    values = np.array(fields["nodes_values"].floats, dtype=np.float32)
    fields["nodes_values"].CopyFrom(onnx.helper.make_attribute("nodes_values", (values + equalities).tolist()))
    (rows,) = graph.graph.input
    added = np.zeros(rows.type.tensor_type.shape.dim[1].dim_value, dtype=np.float32)
    added[columns[equalities]] = 1
    graph.graph.initializer.append(onnx.numpy_helper.from_array(added, "from_one"))
    graph.graph.node.insert(0, onnx.helper.make_node("Add", [rows.name, "from_one"], ["counted"]))
    node.input[0] = "counted"


def _forest(fitted: FittedModel) -> tuple[bytes, str]:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType

    assert fitted.pipeline is not None  # noqa: S101
    estimator = _with_single_thresholds(fitted.pipeline[-1])
    options = {} if fitted.task == "regression" else {id(estimator): {"zipmap": False}}
    rows = DoubleTensorType([None, estimator.n_features_in_])
    with _quiet():
        graph = to_onnx(estimator, initial_types=[("rows", rows)], options=options, target_opset=_OPSET)
    _missing_left(graph, trees_of(estimator))
    scores = graph.graph.output[-1]
    if any(node.op_type.startswith("TreeEnsemble") and scores.name in node.output for node in graph.graph.node):
        scores.type.tensor_type.elem_type = 1  # the operator answers in single precision, whatever is declared
    return graph.SerializeToString(), scores.name


def _missing_left(graph: Any, trees: list[Any]) -> None:
    """Which way a missing value goes, which skl2onnx leaves out."""
    for node in graph.graph.node:
        fields = {attribute.name: attribute for attribute in node.attribute}
        if "nodes_missing_value_tracks_true" in fields:
            places = zip(fields["nodes_treeids"].ints, fields["nodes_nodeids"].ints, strict=True)
            ways = [int(trees[tree].missing_go_to_left[place]) for tree, place in places]
            fields["nodes_missing_value_tracks_true"].ints[:] = ways


def _with_single_thresholds(estimator: Any) -> Any:
    """The same trees with thresholds that single precision holds.

    scikit-learn compares a number of single precision with one of double; rounded down, the threshold lets the same
    numbers pass, while rounded to the nearest it may let one more. Where it splits off the missing values, its
    threshold is infinite, for which skl2onnx would search without end; every number passes the largest one, too.
    """
    copied = copy.deepcopy(estimator)
    for tree in trees_of(copied):
        exact = tree.threshold
        np.minimum(exact, LARGEST, out=exact)
        single = exact.astype(np.float32)
        exact[:] = np.where(single > exact, np.nextafter(single, np.float32(-np.inf)), single)
    return copied


def _difference(fitted: FittedModel, files: dict[str, bytes], rows: pd.DataFrame) -> float:
    if fitted.rules is not None:  # the same code on both paths
        FastModel.read({**files, RULES: dump_model(fitted)[RULES]}, fitted.task)
        return 0.0
    fast = FastModel.read(files, fitted.task)
    matrix = _with_gaps(fitted.schema.check(rows).matrix)
    plain = fitted.scores_encoded(matrix)
    together = fast.scores(matrix)
    if together.shape != plain.shape:
        raise ValueError(f"its scores have shape {together.shape} instead of {plain.shape}")
    alone = np.concatenate([fast.scores(matrix[i : i + 1]) for i in range(0, len(matrix), 10)])
    scale = np.maximum(1.0, np.abs(plain))
    return float(max((np.abs(together - plain) / scale).max(), (np.abs(alone - plain[::10]) / scale[::10]).max()))


def _with_gaps(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows, and the rows once more with a tenth of their values missing."""
    gaps = matrix.copy()
    gaps[np.random.default_rng(0).random(gaps.shape) < 0.1] = np.nan
    return np.concatenate([matrix, gaps])


def _background(fitted: FittedModel, rows: pd.DataFrame) -> dict[str, list[str | float | None]]:
    values = fitted.schema.check(rows.iloc[sample_background(fitted.scores(rows), _BACKGROUND)]).values
    return {name: texts_or_numbers(list(column)) for name, column in values.items()}


def _packed(stored: FastFormat) -> bytes:
    return msgspec.msgpack.encode(stored)


@contextmanager
def _quiet() -> Iterator[None]:
    """Converters speak of their own concerns."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
