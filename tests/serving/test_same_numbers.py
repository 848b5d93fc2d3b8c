"""The fast path gives the plain path's numbers."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import mixed
import numpy as np
import pandas as pd
import pytest
from listening import listen
from numpy.typing import NDArray

from noria.bundle import Bundle, fast_conversion
from noria.models.estimators import trees_of
from noria.serving.predictor import Predictor
from noria.serving.row_reader import RequestRows

EACH = [(kind, task) for kind in mixed.KINDS for task in mixed.TARGETS]


Written = Callable[[str, str], Bundle]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Bundles, each written once."""
    folder = tmp_path_factory.mktemp("mixed")
    return cache(lambda kind, task: mixed.write(kind, task, folder / f"{kind}-{task}"))


def predictor_of(bundle: Bundle) -> Predictor:
    return Predictor(bundle, "champion", max_rows=1000, max_text=1000)


def read(predictor: Predictor, rows: list[dict[str, object]]) -> RequestRows:
    return predictor.reader.read(json.dumps({"rows": rows}).encode())


def plain_frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, dtype=object)


def assert_same(found: NDArray[np.float64], plain: NDArray[np.float64]) -> None:
    assert found.shape == plain.shape
    assert np.allclose(found, plain, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("kind", "task"), EACH)
def test_many_rows_and_single_ones_score_as_in_training(kind: str, task: str, written: Written) -> None:
    bundle = written(kind, task)
    predictor, rows = predictor_of(Bundle.open(bundle.folder)), mixed.odd_rows()
    assert predictor.fast is not None
    plain = bundle.scores(plain_frame(rows))
    assert_same(predictor.scores(read(predictor, rows)), plain)
    alone = [predictor.scores(read(predictor, [row])) for row in rows[:60]]
    assert_same(np.concatenate(alone), plain[:60])
    if kind != "dummy":
        assert len(np.unique(plain.round(6), axis=0)) > 1, "a model that always says the same proves nothing"


@pytest.mark.parametrize(("kind", "task"), [each for each in EACH if each[0] in {"tree", "forest", "xgboost"}])
def test_requests_that_are_scored_together_get_what_each_would_get_alone(
    kind: str, task: str, written: Written
) -> None:
    predictor, another = predictor_of(written(kind, task)), predictor_of(written("linear", task))
    assert predictor.supports_batching
    rows = mixed.odd_rows()[:60]
    requests = [rows[start : start + 1 + start % 4] for start in range(0, 60, 4)]
    together = [read(predictor, request) for request in requests]
    predictor.score_batch(together)
    for request, scored in zip(requests, together, strict=True):
        alone = read(predictor, request)
        assert np.array_equal(predictor.scores(scored), predictor.scores(alone))
        assert predictor.predict(scored) == predictor.predict(alone)
        assert np.array_equal(another.scores(scored), another.scores(alone)), "a shadow took the champion's scores"


@pytest.mark.parametrize(("kind", "task"), EACH)
def test_predictions_decisions_and_warnings_are_those_of_a_table(kind: str, task: str, written: Written) -> None:
    bundle = written(kind, task)
    predictor, rows = predictor_of(Bundle.open(bundle.folder)), mixed.odd_rows()
    wanted = bundle.predict(plain_frame(rows))
    sent = read(predictor, rows)
    said = predictor.predict(sent)
    if task == "regression":
        assert said.predictions == pytest.approx(wanted["prediction"].tolist(), rel=1e-6, abs=1e-6)
        assert set(said.probabilities) == {None}
    else:
        assert said.predictions == wanted["prediction"].tolist()
        assert said.probabilities == pytest.approx(wanted["probability"].tolist(), abs=1e-6)
    assert said.decisions == wanted["decision"].tolist()
    assert sent.warnings == wanted["warning"].tolist()
    assert "region: unseen category 'the moon'" in sent.warnings[0]


@pytest.mark.parametrize("kind", ["tree", "forest"])
def test_a_number_exactly_at_a_threshold_goes_the_same_way(kind: str, written: Written) -> None:
    bundle = written(kind, "binary")
    predictor = predictor_of(bundle)
    pipeline = bundle.fitted.pipeline
    assert pipeline is not None
    cuts = {float(cut) for tree in trees_of(pipeline[-1]) for cut in tree.threshold if 0 < cut < 1e6}
    steps = [change(cut) for cut in sorted(cuts)[:200] for change in (float, _after, _before)]
    row = mixed.odd_rows(5)[4]
    rows = [row | {"amount": cut} for cut in steps] + [row | {"age": cut} for cut in steps]
    assert_same(predictor.scores(read(predictor, rows[:900])), bundle.scores(plain_frame(rows[:900])))


def _after(cut: float) -> float:
    return float(np.nextafter(np.float32(cut), np.float32(np.inf)))


def _before(cut: float) -> float:
    return float(np.nextafter(np.float32(cut), np.float32(-np.inf)))


@pytest.mark.parametrize("fault", ["it cannot", "it is wrong"])
def test_a_model_without_a_fast_form_falls_back_and_says_so(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "it cannot":
        monkeypatch.setattr(
            fast_conversion, "_booster", lambda _: (_ for _ in ()).throw(RuntimeError("no such operator"))
        )
    else:
        monkeypatch.setattr(fast_conversion, "_base_first", _forget_the_last_tree)
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text) if kind == "warn" else None)
    bundle = mixed.write("xgboost", "binary", tmp_path / "bundle")
    assert [text for text in heard if "served by the plain path" in text]
    predictor, rows = predictor_of(bundle), mixed.odd_rows()
    assert predictor.fast is None
    assert_same(predictor.scores(read(predictor, rows)), bundle.scores(plain_frame(rows)))


def _forget_the_last_tree(graph: object) -> None:
    node = graph.graph.node[0]  # type: ignore[attr-defined]
    weights = next(each for each in node.attribute if each.name.endswith("_weights"))
    weights.floats[-1] += 0.5
