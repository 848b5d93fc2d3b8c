"""Any name or value of a table passes the whole wheel, or is refused where the table is read."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from noria.bundle import MetricValue, revise_bundle
from noria.data.database import read_query
from noria.data.table_files import read_file, read_names
from noria.monitoring import monitor, read_window
from noria.predictions import PredictionStore
from noria.profiling.scaffold import propose
from noria.system.workspace import Workspace
from tests.attack.wheel import check_batch, check_served, json_rows, table, trained, use_case, write
from tests.errors_raised import raises
from tests.service.asked import asked

# of every kind that has ever meant something to a program on the way
ODD = [
    *('a"b', "c\\d", '"', "\\", "'", "`", "x`y", '"q"', "br[a]ck<et>", "[1]", "<script>alert(1)</script>", "{{ e }}"),
    *(
        "a.b",
        "a/b",
        "..",
        "with  blanks",
        "=1+1",
        "-dash",
        "+plus",
        "@at",
        "#c",
        "%s",
        "$f",
        "a$b$c",
        "$\\$",
        "$^$",
        "a,b",
        "a;b",
        "a; b",
    ),
    *("a: b", ": y", "- x", "?", "*", "!tag", "&anchor", "|", "null", "true", "on", "NaN", "1", "1.5", "1e5", "-1"),
    *("__proto__", "constructor", "class", "self", "index", "id", "ID", "Id", "row", "rows", "reason", "level_0"),
    *("prediction", "probability", "decision", "warning", "error", "label", "entity", "version", "variant", "at"),
    *("input.prediction", "prediction_id", "found", "__found", "weight", "name", "kind", "Unnamed: 0", "c0"),
    *("é", "e\u0301", "😀", "名前", "\u202ertl", "a\u200bb", "\ufeffbom", "ﬁ", "x" * 256),
]
CONTROL = ["a\tb", "a\nb", "a\r\nb", "a\x00b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "x" * 257]
VALUES = ['q"', "b\\", "it's", "a; b", "<b>", "=1+1", "é", "{x}", "a: b", "__proto__", "new\nline", "tab\there"]
_NAME = st.text(
    st.one_of(
        st.sampled_from("\"\\'`[]<>{}:;,./ =-+@#%&*!?|~^$_aA1"),
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
    ),
    min_size=1,
    max_size=12,
).filter(lambda name: name == name.strip())
_VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and not text.isspace()
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # one turn takes a second: smaller examples would take minutes
)
@given(
    st.lists(_NAME | st.sampled_from(ODD), min_size=3, max_size=8, unique=True),
    st.lists(_VALUE.map("v".__add__), min_size=2, max_size=4, unique=True),
    st.sampled_from(["linear", "xgboost", "tree", "rules"]),
    st.sampled_from([".csv", ".parquet"]),
)
def test_any_names_and_values_are_trained_served_and_predicted_as_files(
    names: list[str], values: list[str], kind: str, ending: str
) -> None:
    target, *inputs = names
    with TemporaryDirectory() as place:
        folder = Path(place)
        classes = [f"{value} yes" if value == values[0] else f"{value} no" for value in values[:2]]
        frame = table(inputs, target, classes, values)
        file = write(frame, folder / f"cases{ending}")
        bundle = trained(use_case(file, target, classes[0]), folder, kind)
        assert bundle.manifest.schema_.names == inputs
        (folder / "service").mkdir()
        with asked(bundle, folder / "service") as service:
            check_served(service, bundle, json_rows(frame.head(5), bundle), frame[target].head(5).tolist())
            service.settle()
        check_batch(bundle, file, folder)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "target"), [("xgboost", "prediction"), ("rules", 'the "target"\\')])
def test_odd_names_pass_the_whole_wheel(
    tmp_path: Path, kind: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    names = [name.strip() for name in ODD if name != target]
    frame = table(names, target, VALUES[:2], VALUES)
    file = write(frame, tmp_path / "cases.parquet")
    case = use_case(file, target, VALUES[0])
    bundle = trained(case, tmp_path, kind)
    assert bundle.manifest.schema_.names == names
    promised = {"roc_auc": MetricValue(value=0.9, low=0.8, high=1.0)}
    bundle = revise_bundle(bundle, tmp_path / "judged", metrics=promised)
    workspace = Workspace(case.name)
    with asked(bundle, tmp_path, url=workspace.predictions_url) as service:
        check_served(service, bundle, json_rows(frame.head(40), bundle), frame[target].head(40).tolist())
        service.settle()
    check_batch(bundle, file, tmp_path)
    now = datetime.now(UTC) + timedelta(seconds=1)
    window = read_window(PredictionStore(workspace.predictions_url), case, "1", now)
    verdict = monitor(bundle, window, case, workspace, now)
    assert verdict.drift is not None
    assert {column.name for column in verdict.drift.inputs} == set(names)
    assert verdict.drift.predictions is not None
    assert not verdict.drift.predictions.moved
    assert verdict.performance.metric is not None
    assert all(Path(page).stat().st_size for page in verdict.reports.values())


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_new_drafts_a_use_case_of_odd_names_that_can_be_trained(tmp_path: Path, ending: str) -> None:
    names = [name.strip() for name in ODD]
    frame = table(names, 'the "target"\\', VALUES[:2], VALUES)
    file = write(frame, tmp_path / f"cases{ending}")
    from noria.config.load import load_use_case

    config = tmp_path / "odd.yaml"
    config.write_text(propose(str(file), 'the "target"\\', output=config).yaml, encoding="utf-8")
    case = load_use_case(config)
    assert case.data.target == 'the "target"\\'
    bundle = trained(case, tmp_path, "rules")
    assert set(bundle.manifest.schema_.names) <= set(names)


@pytest.mark.parametrize("name", CONTROL)
def test_names_with_control_characters_are_refused_where_the_table_is_read(tmp_path: Path, name: str) -> None:
    frame = table([name, "x"], "y", ["yes", "no"], ["a", "b"])
    for ending in (".csv", ".parquet"):
        if name == "a\x00b" and ending == ".csv":
            continue  # not a text file at all
        file = str(write(frame, tmp_path / f"cases{ending}"))
        for read in (read_file, read_names):
            with raises("data.column_name_invalid") as caught:
                read(file)
            assert str(caught.value).isprintable()
        with raises("data.column_name_invalid"):
            propose(file, "y")


def test_a_query_has_names_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (1)")
    assert list(read_query(f"sqlite:///{path}", 'SELECT x AS " a ""b"" " FROM t')) == ['a "b"']
    with raises("data.column_name_invalid"):
        read_query(f"sqlite:///{path}", 'SELECT x AS "a\nb" FROM t')


def test_names_that_differ_in_case_or_form_are_different_and_blanks_make_no_difference(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id ": [1], "ID": [2], "é": [3], "e\u0301": [4]})
    assert list(read_file(str(write(frame, tmp_path / "cases.parquet")))) == ["id", "ID", "é", "e\u0301"]
    with raises("data.column_duplicated"):
        read_file(str(write(frame.assign(id=5), tmp_path / "cases.csv")))


def test_more_columns_than_can_be_worked_on_are_refused_at_once(tmp_path: Path) -> None:
    wide = pa.table({f"c{place}": [1] for place in range(10_001)})
    pq.write_table(wide, tmp_path / "wide.parquet")
    np.savetxt(
        tmp_path / "wide.csv", np.ones((1, 10_001)), delimiter=",", header=",".join(wide.column_names), comments=""
    )
    for file in ("wide.parquet", "wide.csv"):
        with raises("data.columns_too_many", "10,001"):
            read_names(str(tmp_path / file))
        with raises("data.columns_too_many"):
            read_file(str(tmp_path / file))
