"""Scores without scikit-learn, XGBoost or pandas."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from noria.bundle.fast_format import FAST, TREES, FastFormat, unpack_transform
from noria.models.rule_model import RuleModel
from noria.system.errors import NoriaError

Numbers = NDArray[np.float64]


class FastModel:
    """A model's scores, as `Fitted.scores` gives them, to 1e-6."""

    def __init__(
        self, stored: FastFormat, score: Callable[[NDArray[Any]], Numbers] | None, rules: RuleModel | None
    ) -> None:
        self.background = stored.background
        self.rules = rules
        self._transform = None if stored.prepare is None else unpack_transform(stored.prepare)
        self._score = score
        self.has_trees = isinstance(score, _Trees)

    @classmethod
    def read(cls, files: Mapping[str, bytes], task: str) -> "FastModel":
        """From a bundle's files.

        Raises:
            NoriaError: they are damaged or hold something else.
        """
        try:
            stored = msgspec.msgpack.decode(files[FAST], type=FastFormat)
            if stored.prepare is None:
                return cls(stored, None, RuleModel.model_validate_json(files["rules.json"]))
            return cls(stored, _score(stored, files, task), None)
        except Exception as error:
            raise NoriaError(
                f"the model's fast form cannot be read: {error}",
                code="bundle.fast_form_unreadable",
                fix="fetch the bundle again or train again",
            ) from error

    def scores(self, matrix: Numbers) -> Numbers:
        """(n,) or (n, k) scores of encoded rows (n, p); not for rules."""
        assert self._transform is not None and self._score is not None  # noqa: S101 - only rules have neither
        return self._score(self._transform.apply(matrix))


def _score(stored: FastFormat, files: Mapping[str, bytes], task: str) -> Callable[[NDArray[Any]], Numbers]:
    if stored.output is not None:
        return _Trees(files[TREES], stored.output, task)
    bias = _required(stored.bias).read().astype(np.float64)
    if stored.weights is None:
        return lambda prepared: np.repeat(bias[None], len(prepared), axis=0)
    weights = stored.weights.read().astype(np.float64)
    links: dict[str, Callable[[Numbers], Numbers]] = {"binary": _logistic, "multiclass": _softmax}
    link = links.get(task, _as_it_is)
    return lambda prepared: link(prepared @ weights + bias)


class _Trees:
    """A tree ensemble in ONNX Runtime, on one thread: a server has a process for each core."""

    def __init__(self, content: bytes, output: str, task: str) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        entry = self._session.get_inputs()[0]
        self._input, self._type = entry.name, np.float64 if "double" in entry.type else np.float32
        self._outputs = [output]
        self._run = self._session.run
        self._task = task

    def __call__(self, prepared: NDArray[Any]) -> Numbers:
        prepared = prepared.astype(self._type, copy=False)
        return self._column(self._run(self._outputs, {self._input: prepared})[0])

    def _column(self, output: NDArray[Any]) -> Numbers:
        scores = output.astype(np.float64)
        if self._task == "multiclass":
            return scores
        return scores[:, -1] if scores.ndim == 2 else scores


def _as_it_is(margin: Numbers) -> Numbers:
    return margin


def _logistic(margin: Numbers) -> Numbers:
    # of large negative margins exp overflows to infinity, whose reciprocal is the right 0
    with np.errstate(over="ignore"):
        result: Numbers = 1.0 / (1.0 + np.exp(-margin))
    return result


def _softmax(margin: Numbers) -> Numbers:
    powers = np.exp(margin - margin.max(axis=1, keepdims=True))
    result: Numbers = powers / powers.sum(axis=1, keepdims=True)
    return result


def _required(value: Any) -> Any:
    if value is None:
        raise ValueError("a part is missing")
    return value


def texts_or_numbers(values: Sequence[Any]) -> list[str | float | None]:
    """Values as they are stored for explanations."""
    found: list[str | float | None] = []
    for value in values:
        if isinstance(value, np.datetime64):
            found.append(None if np.isnat(value) else str(value))
        elif isinstance(value, float | np.floating):
            found.append(None if np.isnan(value) else float(value))
        else:
            found.append(value)
    return found
