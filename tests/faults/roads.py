"""Every road a value can take, without ZenML: from a table to a bundle, and from rows to answers and labels.

`new`, `train`, `predict`, `monitor --labels` and the service are represented by the functions that they call, so that a
case takes about a second.
"""

import io
import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from app.commands.new import new
from noria.batch import predict_file
from noria.bundle import Bundle, write_bundle
from noria.config import UseCase, load_use_case
from noria.config.data import SourceConfig
from noria.data.sources import read, read_source, read_table
from noria.data.split import split
from noria.data.validation import validate
from noria.metrics.metrics import compute_metrics
from noria.models.fitted_model import fit
from noria.models.policy_choice import DecisionPolicy
from noria.monitoring import LabelJoinResult, join_labels
from noria.predictions import PredictionStore
from noria.schema import Column
from noria.serving.http_errors import HTTPError
from noria.serving.predictor import Predictor
from service.feedback import read_labels
from tests import bundles
from tests.listening import listen
from tests.predicted import prediction_event

INPUTS = Path(__file__).parent / "inputs"
ANSWERS = ["prediction", "probability", "decision", "warning", "error"]
AT = datetime(2026, 6, 30, 12, tzinfo=UTC)
ROUNDING = 1e-12
"""How far probabilities may be apart where other rows are scored beside: sums of products end in other last bits."""
_PARAMS: dict[str, dict[str, Any]] = {"tree": {"max_depth": 5}}


@dataclass(frozen=True)
class Proposed:
    """What `new` wrote and said."""

    use_case: UseCase
    yaml: str
    messages: list[str]
    """The lines on the console, the first first."""

    def about(self, column: str) -> str:
        """The lines on the console that name a column."""
        return "\n".join(line for line in self.messages if f"`{column}`" in line)


@dataclass(frozen=True)
class Trained:
    """A small model, and the rows that it was and was not trained on."""

    use_case: UseCase
    bundle: Bundle
    train: pd.DataFrame
    test: pd.DataFrame
    messages: list[str] = field(default_factory=list)
    """What training said on the console."""

    def column(self, name: str) -> Column:
        """What the model knows of an input column."""
        found = [column for column in self.bundle.manifest.schema_.columns if column.name == name]
        assert found, f"`{name}` is no input of the model"
        return found[0]

    @property
    def inputs(self) -> list[str]:
        """The columns that the model takes."""
        return self.bundle.manifest.schema_.names


def propose(table: Path, target: str = "left") -> Proposed:
    """`python run.py new --data TABLE --target TARGET`."""
    path = table.with_suffix(".yaml")
    messages: list[str] = []
    listen(lambda kind, text: messages.append(text) if kind == "warn" else None)
    result = new(str(table), target, None, path, force=True)
    facts = [f"{value}" for name, value in result.facts if name != "file"]
    return Proposed(load_use_case(path), path.read_text(encoding="utf-8"), [*messages, *facts])


def train(use_case: UseCase, folder: Path, kind: str = "linear", **sections: Any) -> Trained:
    """`python run.py train` with one candidate, untuned, and the threshold 0.5; `sections` change the use case."""
    use_case = bundles.changed(use_case, **sections)
    messages: list[str] = []
    listen(lambda kind, text: messages.append(text) if kind == "warn" else None)
    table = read_table(use_case.data, use_case.reading)
    messages += map(str, table.decisions)
    use_case = use_case.with_readings(table.readings)
    valid = validate(read(use_case.data), use_case)
    rows, test = split(valid.frame, use_case)
    fitted = fit(kind, _PARAMS.get(kind, {}), rows, use_case)
    bundle = write_bundle(
        folder / f"bundle_{kind}",
        fitted,
        use_case=use_case,
        train=rows,
        out_of_fold=fitted.scores(rows),
        policy=DecisionPolicy(threshold=0.5) if use_case.problem.task == "binary" else DecisionPolicy(),
        fingerprint="0" * 64,
        version="1",
    )
    return Trained(use_case, bundle, rows, test, messages)


def trained(table: Path, folder: Path, target: str = "left", kind: str = "linear", **sections: Any) -> Trained:
    """`new`, then `train` with what it wrote."""
    copy = folder / table.name
    if copy != table:
        copy.write_bytes(table.read_bytes())
    return train(propose(copy, target).use_case, folder, kind, **sections)


def fault(group: str, name: str = "in.csv") -> Path:
    """One of the small tables that people really had."""
    return INPUTS / group / name


def copied(folder: Path, group: str, name: str = "in.csv") -> Path:
    """Such a table, where a test may write beside it."""
    path = folder / name
    path.write_bytes(fault(group, name).read_bytes())
    return path


def write_rows(folder: Path, rows: Sequence[Mapping[str, object]], separator: str = ",") -> Path:
    """Rows of values as a CSV file to ask for."""
    return write_csv(folder, {name: [row[name] for row in rows] for name in rows[0]}, "ask.csv", separator)


def write_csv(
    folder: Path, columns: Mapping[str, Sequence[object]], name: str = "in.csv", separator: str = ","
) -> Path:
    """Columns of texts as they are, unquoted unless they hold the separator or a quotation mark."""
    path = folder / name
    lines = [list(columns), *zip(*columns.values(), strict=True)]
    path.write_text("".join(separator.join(_cell(value, separator) for value in line) + "\n" for line in lines))
    return path


def _cell(value: object, separator: str) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in (separator, '"', "\n")) else text


def texts(table: Path, separator: str = ",") -> pd.DataFrame:
    """A CSV file as nothing but texts, the empty ones None."""
    read_as = pc.ConvertOptions(strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True)
    raw = table.read_bytes()
    names = raw.splitlines()[0].decode("utf-8-sig").split(separator)
    read_as.column_types = dict.fromkeys(names, pa.string())
    frame = pc.read_csv(io.BytesIO(raw), None, pc.ParseOptions(delimiter=separator), read_as).to_pandas()
    return frame.astype(object).where(frame.notna(), None)


def objects(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as Python's values, None where missing."""
    return frame.astype(object).where(frame.notna(), None).to_dict(orient="records")


def by_csv(model: Trained, file: Path | str, *, folder: Path | None = None, chunk_rows: int = 10_000) -> pd.DataFrame:
    """`python run.py predict FILE.csv`: the answers of each row; a text is written to a file first."""
    if isinstance(file, str):
        assert folder is not None
        (folder / "asked.csv").write_text(file, encoding="utf-8")
        file = folder / "asked.csv"
    return _by_file(model, file, chunk_rows)


def by_parquet(model: Trained, table: pa.Table, folder: Path, *, chunk_rows: int = 10_000) -> pd.DataFrame:
    """`python run.py predict FILE.parquet`."""
    pq.write_table(table, folder / "asked.parquet")
    return _by_file(model, folder / "asked.parquet", chunk_rows)


def _by_file(model: Trained, file: Path, chunk_rows: int) -> pd.DataFrame:
    target, aside = file.with_name("answers.parquet"), file.with_name("aside.csv")
    like = model.use_case.data.sources[0]
    dialect = {"separator": like.separator, "decimal": like.decimal}
    predict_file(model.bundle, file, target, chunk_rows=chunk_rows, quarantine=aside, **dialect)
    return pd.read_parquet(target)[ANSWERS]


def by_json(model: Trained, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """POST /predict with JSON. A bad row has the whole request refused: it is set apart, and the others are asked."""
    predictor = Predictor.of(model.bundle)
    sent = [{name: json_value(value) for name, value in row.items()} for row in rows]
    refused: dict[int, str] = {}
    try:
        predictor.reader.read(json.dumps({"rows": sent}).encode())
    except HTTPError as error:
        assert error.status == 422, error.body
        refused = {problem.row: problem.problem for problem in error.body.rows}
    good = [row for row in range(len(sent)) if row not in refused]
    found: list[dict[str, Any]] = [{"warning": "", "error": refused.get(row, "")} for row in range(len(sent))]
    if good:
        asked = predictor.reader.read(json.dumps({"rows": [sent[row] for row in good]}).encode())
        answers = predictor.predict(asked)
        for place, row in enumerate(good):
            found[row] |= {
                "prediction": answers.predictions[place],
                "probability": answers.probabilities[place],
                "decision": answers.decisions[place],
                "warning": asked.warnings[place],
            }
    return pd.DataFrame(found, columns=ANSWERS)


def by_table(model: Trained, frame: pd.DataFrame) -> pd.DataFrame:
    """A table in memory, as evaluation and monitoring ask."""
    return model.bundle.predict(frame).reset_index(drop=True)


def by_sql(model: Trained, rows: Sequence[Mapping[str, Any]], folder: Path) -> pd.DataFrame:
    """The result of a query on an SQLite database."""
    return by_table(model, read_source(sql_source(rows, folder)))


def sql_source(rows: Sequence[Mapping[str, Any]], folder: Path, name: str = "rows") -> SourceConfig:
    """Rows in a table of an SQLite database: whole numbers, reals and texts, as SQLite knows no dates."""
    path = folder / f"{name}.db"
    path.unlink(missing_ok=True)
    names = list(rows[0])
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(map(_quoted, names))})")
        marks = ", ".join("?" * len(names))
        connection.executemany(
            f"INSERT INTO t VALUES ({marks})",  # noqa: S608 - question marks
            [[_sql_value(row[name]) for name in names] for row in rows],
        )
    connection.close()
    return SourceConfig(name=name, url=f"sqlite:///{path}", query="SELECT * FROM t")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sql_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def json_value(value: Any) -> Any:
    """A value as JSON carries it: dates as ISO 8601 text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def assert_same(found: pd.DataFrame, wanted: pd.DataFrame, *, within: float = 0.0) -> None:
    """The same answers, warnings and errors in the same order; `within`: how far probabilities may be apart."""
    assert len(found) == len(wanted)
    for name in ("error", "warning", "prediction", "decision"):
        left, right = ([None if pd.isna(value) else value for value in frame[name]] for frame in (found, wanted))
        for row, (one, other) in enumerate(zip(left, right, strict=True)):
            assert one == other, f"{name} of row {row}: {one!r}, not {other!r}"
    left, right = (frame["probability"].to_numpy(dtype="float64", na_value=np.nan) for frame in (found, wanted))
    for row in np.flatnonzero(~np.isclose(left, right, atol=within, rtol=0, equal_nan=True)):
        raise AssertionError(f"probability of row {row}: {left[row]!r}, not {right[row]!r}")


def metric(model: Trained, name: str = "roc_auc") -> float:
    """A metric on the test rows."""
    truth = model.test[model.use_case.data.target].to_numpy()
    answers = model.bundle.answer(model.test)
    return compute_metrics(model.use_case, truth, answers.scores, answers.table["decision"].to_numpy(dtype=str))[name]


@dataclass(frozen=True)
class Asked:
    """Rows that were asked over HTTP, their predictions in a store."""

    model: Trained
    store: PredictionStore
    ids: list[str]
    folder: Path

    def join(self, file: Path) -> LabelJoinResult:
        """`python run.py monitor --labels FILE`."""
        use_case, manifest = self.model.use_case, self.model.bundle.manifest
        aside = self.folder / "labels_aside.csv"
        return join_labels(self.store, str(file), use_case, manifest, quarantine=aside, at=AT)

    def feedback(self, labels: Sequence[Mapping[str, Any]]) -> int:
        """POST /feedback: how many of the labels find their prediction."""
        body = json.dumps({"labels": list(labels)}).encode()
        return sum(self.store.add_labels(read_labels(body, self.model.bundle.manifest, 10_000)))


def ask(model: Trained, rows: Sequence[Mapping[str, Any]], folder: Path) -> Asked:
    """POST /predict, and the predictions as the service keeps them."""
    predictor = Predictor.of(model.bundle)
    read_rows = predictor.reader.read(json.dumps({"rows": list(rows)}).encode())
    answers = predictor.predict(read_rows)
    store = PredictionStore(f"sqlite:///{folder / 'predictions.db'}")
    events = [
        prediction_event(AT, entity=entity, prediction=prediction, probability=probability, decision=decision)
        for entity, prediction, probability, decision in zip(
            read_rows.entities, answers.predictions, answers.probabilities, answers.decisions, strict=True
        )
    ]
    store.ingest(events)
    return Asked(model, store, [event.ids[0] for event in events], folder)
