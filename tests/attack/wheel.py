"""One turn of the wheel in this process, with the functions that pipelines and service call."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from noria.batch import predict_file
from noria.bundle import Bundle, write_bundle
from noria.config import UseCase
from noria.data.sources import read_table
from noria.data.split import split
from noria.data.validation import validate
from noria.models.fitted_model import fit
from noria.models.policy_choice import choose_policy
from noria.profiling.report import exploration_report, profile_table
from tests.service.asked import Asked

ROWS = 160
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
_ANSWERS = ["prediction", "probability", "decision", "warning", "error"]
_PARAMS: dict[str, dict[str, Any]] = {"xgboost": {"n_estimators": 10}, "forest": {"n_estimators": 5}}


def table(names: Sequence[str], target: str, classes: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Columns of these names: categories with these values, and numbers, in turn."""
    random = np.random.default_rng(3)
    drive = random.normal(size=ROWS)
    columns: dict[str, Any] = {target: np.where(drive > 0, classes[0], classes[1])}
    for place, name in enumerate(names):
        noisy = drive + random.normal(size=ROWS)
        if place % 2:
            columns[name] = noisy.round(6)
        else:
            bins = np.linspace(-1, 1, len(values) + 1)[1:-1]
            columns[name] = np.array(values, dtype=object)[np.digitize(noisy, bins)]
    return pd.DataFrame(columns)


def write(frame: pd.DataFrame, file: Path) -> Path:
    """The table as a CSV or Parquet file."""
    if file.suffix == ".csv":
        frame.to_csv(file, index=False)
    else:
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)
    return file


def use_case(file: Path, target: str, positive: str, **sections: Any) -> UseCase:
    """A use case of a table with such a target."""
    raw: dict[str, Any] = {
        "name": "odd",
        "problem": {
            "question": f"Which of them will be {positive}?",
            "decided_by": "the team",
            "needed": "daily",
            "business_figure": "share",
            "label_delay_days": 0,
            "task": "binary",
            "positive": positive,
            "worth": {"true_positive": 1, "false_positive": -1, "false_negative": 0},
        },
        "data": {"sources": [{"name": "cases", "path": str(file)}], "target": target},
        "rules": {"otherwise": positive},
        "evaluation": {"metric": "roc_auc"},
        "models": {"folds": 2},
        "monitoring": {"min_rows": 20, "min_labels": 20},
    }
    return UseCase.model_validate(raw | sections)


def trained(case: UseCase, folder: Path, kind: str) -> Bundle:
    """Read, validated, explored, split and learned from, as `train` does; every column is an input of the model."""
    source = read_table(case.data)
    case = case.with_readings(source.readings)
    valid = validate(source.frame, case)
    assert len(valid.frame) == ROWS
    assert "<svg" in exploration_report(profile_table(valid.frame, case, valid.quarantined), valid.frame, case)
    train, _ = split(valid.frame, case)
    fitted = fit(kind, _PARAMS.get(kind, {}), train, case)
    scores = fitted.scores(train)
    policy = choose_policy(case, train[case.data.target].to_numpy(), scores)
    kept = {"use_case": case, "train": train, "out_of_fold": scores, "policy": policy}
    return write_bundle(folder / "bundle", fitted, fingerprint="0" * 64, version="1", **kept)


def json_rows(frame: pd.DataFrame, bundle: Bundle) -> list[dict[str, Any]]:
    """The inputs as a client reads them from the table."""
    found: list[dict[str, Any]] = json.loads(frame[bundle.manifest.schema_.names].to_json(orient="records"))
    return found


def check_served(service: Asked, bundle: Bundle, rows: list[dict[str, Any]], truth: Sequence[str]) -> None:
    """Rows as JSON, Arrow and Parquet get the bundle's own answers, an explanation and a label; pages are shown."""
    expected = bundle.predict(pd.DataFrame(rows))
    assert expected["error"].tolist() == [""] * len(rows)
    answered = service.post("/predict", {"rows": rows})
    assert answered.status == 200, answered.text
    answers = answered.json()["predictions"]
    assert [one["prediction"] for one in answers] == expected["prediction"].tolist()
    np.testing.assert_allclose([one["probability"] for one in answers], expected["probability"], atol=1e-6)
    assert answered.json()["ignored"] == []
    odd = service.post("/predict", {"rows": [rows[0] | {"no such column": 1}]})
    assert odd.json()["ignored"] == ["no such column"]
    lacking = {name: value for name, value in rows[0].items() if name != bundle.manifest.schema_.names[0]}
    assert service.post("/predict", {"rows": [lacking]}).status == 422
    arrow = pa.Table.from_pylist(rows)
    for kind, body in (("arrow.stream", _stream(arrow)), ("parquet", _parquet(arrow))):
        reply = service.post("/predict", body, {"content-type": f"application/vnd.apache.{kind}"})
        assert reply.status == 200, reply.text
        with pa.ipc.open_stream(reply.body) as reader:
            np.testing.assert_allclose(reader.read_all()["probability"], expected["probability"], atol=1e-6)
    explained = service.post("/explain", {"rows": rows[:2]})
    assert explained.status == 200, explained.text
    named = {one["feature"] for one in explained.json()["explanations"][0]["contributions"]}
    assert named == set(bundle.manifest.schema_.names)
    service.settle()
    labels = [{"id": one["id"], "label": label} for one, label in zip(answers, truth, strict=True)]
    assert service.post("/feedback", {"labels": labels}).json() == {"known": [True] * len(labels)}
    shown = service.ask("GET", "/openapi.json").json()["components"]["schemas"]["Row"]["properties"]
    assert set(bundle.manifest.schema_.names) <= set(shown)
    assert {column["name"] for column in service.ask("GET", "/model").json()["inputs"]} == named


def check_batch(bundle: Bundle, source: Path, folder: Path) -> None:
    """The training file is predicted as a file, and no column of it is lost."""
    names = pd.read_csv(source).columns if source.suffix == ".csv" else pq.read_schema(source).names
    for ending in (".csv", ".parquet"):
        target = folder / f"out{ending}"
        summary = predict_file(bundle, source, target, chunk_rows=100, quarantine=folder / "aside.csv")
        assert (summary.rows, summary.quarantined) == (ROWS, 0)
        written = pd.read_csv(target) if ending == ".csv" else pd.read_parquet(target)
        assert len(written.columns) == len(names) + len(_ANSWERS)
        assert list(written.columns[-len(_ANSWERS) :]) == _ANSWERS
        assert written["probability"].notna().all()


def _stream(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return sink.getvalue()


def _parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink)
    return sink.getvalue()
