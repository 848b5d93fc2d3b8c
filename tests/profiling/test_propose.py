"""`run.py new`: from a table to a use case that trains as it stands."""

import datetime as dt
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.config import UseCase, load_use_case
from noria.data.sources import read
from noria.data.split import folds, split
from noria.data.validation import validate
from noria.models.cross_validation import cross_validate
from noria.profiling.scaffold import Proposal, propose
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT
from tests.errors_raised import assert_error, raises

CHURN = "data/telco_churn.csv"
BIKES = "data/bike_sharing.csv"


def loaded(proposal: Proposal, folder: Path) -> UseCase:
    path = folder / "proposed.yaml"
    path.write_text(proposal.yaml, encoding="utf-8")
    return load_use_case(path)


def proposed(frame: pd.DataFrame, target: str, folder: Path) -> tuple[UseCase, Proposal]:
    path = folder / "table.parquet"
    frame.to_parquet(path)
    proposal = propose(str(path), target)
    return loaded(proposal, folder), proposal


def training_rows(use_case: UseCase) -> pd.DataFrame:
    train, _ = split(validate(read(use_case.data), use_case).frame, use_case)
    assert folds(train, use_case)
    return train


def flights(rows: int = 4000) -> pd.DataFrame:
    """A table like that of the flights from New York: departures in order, delays known only after landing."""
    random = np.random.default_rng(1)
    departure = pd.Timestamp("2013-01-01T05:00Z") + pd.to_timedelta(np.sort(random.integers(0, 364 * 24, rows)), "h")
    delay = np.round(random.gamma(0.6, 30, rows) - 10)
    arrival = np.where(random.random(rows) < 0.03, np.nan, np.round(delay + random.normal(-5, 12, rows)))
    return pd.DataFrame(
        {
            "year": 2013,
            "dep_delay": delay,
            "arr_delay": arrival,
            "carrier": random.choice(["UA", "B6", "EV", "DL"], rows),
            "flight": random.integers(1, 3000, rows),
            "tailnum": [f"N{number}" for number in random.integers(10_000, 14_000, rows)],
            "distance": random.integers(80, 5000, rows),
            "time_hour": departure.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> tuple[UseCase, Proposal]:
    proposal = propose(CHURN, "churn")
    return loaded(proposal, tmp_path_factory.mktemp("churn")), proposal


@pytest.fixture(scope="module")
def bikes(tmp_path_factory: pytest.TempPathFactory) -> tuple[UseCase, Proposal]:
    proposal = propose(BIKES, "cnt")
    return loaded(proposal, tmp_path_factory.mktemp("bikes")), proposal


def test_churn_is_a_binary_question_about_leavers(churn: tuple[UseCase, Proposal]) -> None:
    use_case, _ = churn
    assert use_case.problem.task == "binary"
    assert use_case.problem.positive == "Yes"
    assert use_case.data.sources[0].path == CHURN
    assert use_case.evaluation.metric == "roc_auc"
    assert use_case.data.unavailable_at_prediction == []
    assert use_case.data.id is None
    assert use_case.data.time is None
    assert use_case.data.expectations.columns["churn"].allowed == ["No", "Yes"]


def test_use_cases_beside_each_other_listen_on_different_ports(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    pd.DataFrame({"a": [row % 11 for row in range(60)], "y": ["no", "yes"] * 30}).to_csv(table, index=False)
    ports = []
    for name in ("one", "two", "three"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(propose(str(table), "y", output=path).yaml, encoding="utf-8")
        ports.append(load_use_case(path).serving.port)
    taken = {load_use_case(path).serving.port for path in (PROJECT / "configs").glob("*.yaml")}
    assert len({*ports, *taken}) == len(ports) + len(taken)
    again = tmp_path / "two.yaml"
    assert f"port: {ports[1]}" in propose(str(table), "y", output=again).yaml, "a file that is replaced keeps its port"


def test_a_new_use_case_gets_its_own_name_and_port(churn: tuple[UseCase, Proposal]) -> None:
    use_case, proposal = churn
    bundled = [load_use_case(path) for path in Path("configs").glob("*.yaml")]
    assert use_case.name == proposal.name
    assert use_case.name not in {other.name for other in bundled}
    assert use_case.serving.port not in {other.serving.port for other in bundled}


def test_every_line_to_replace_is_marked(churn: tuple[UseCase, Proposal]) -> None:
    lines = churn[1].yaml.splitlines()
    keys = "question decided_by worth needed label_delay_days rules unavailable_at_prediction"
    for key in (f"{name}:" for name in keys.split()):
        assert any(key in line and "# replace:" in line for line in lines), key


def test_every_section_is_explained(churn: tuple[UseCase, Proposal]) -> None:
    sections = [line for line in churn[1].yaml.splitlines() if line and line[0].isalpha()]
    assert [line for line in sections if " # " not in line] == []


def test_proposed_churn_trains(churn: tuple[UseCase, Proposal]) -> None:
    train = training_rows(churn[0])
    rules, _ = cross_validate("rules", {}, train, churn[0])
    linear, _ = cross_validate("linear", {}, train, churn[0])
    assert rules.mean > 0.7
    assert linear.mean > 0.83


def test_bikes_columns_that_add_up_to_the_target_are_suspected(bikes: tuple[UseCase, Proposal]) -> None:
    use_case, proposal = bikes
    assert set(use_case.data.unavailable_at_prediction) == {"casual", "registered"}
    assert "`casual` + `registered` = `cnt`" in proposal.yaml
    assert any("`registered`" in note and "leakage" in note for note in proposal.notes)


def test_bikes_are_split_by_time_and_train(bikes: tuple[UseCase, Proposal]) -> None:
    use_case, _ = bikes
    assert use_case.problem.task == "regression"
    assert use_case.data.time == "dteday"
    assert use_case.split.method == "time"
    assert use_case.features.calendar == ["year", "month", "weekday"]
    train = training_rows(use_case)
    rules, _ = cross_validate("rules", {}, train, use_case)
    dummy, _ = cross_validate("dummy", {}, train, use_case)
    assert rules.mean < dummy.mean


def test_flights_lose_the_rows_without_target_and_train(tmp_path: Path) -> None:
    use_case, proposal = proposed(flights(), "arr_delay", tmp_path)
    assert use_case.problem.task == "regression"
    assert use_case.data.time == "time_hour"
    assert use_case.features.calendar == ["month", "weekday", "hour"]
    assert use_case.features.exclude == ["year", "tailnum"]
    assert "dep_delay 0." in proposal.yaml
    assert any("set aside" in note for note in proposal.notes)
    assert len(training_rows(use_case)) > 2500


def test_a_column_that_gives_the_answer_away_is_suspected(tmp_path: Path) -> None:
    frame = pd.read_csv(CHURN)
    frame["left_on"] = np.where(frame["churn"] == "Yes", "2024-05-01", None)
    frame["retention_code"] = np.where(frame["churn"] == "Yes", 7.0, 3.0)
    use_case, _ = proposed(frame, "churn", tmp_path)
    assert set(use_case.data.unavailable_at_prediction) == {"left_on", "retention_code"}


def test_difference_and_near_copy_of_a_number_are_suspected(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"revenue": random.lognormal(5, 1, 600), "cost": random.lognormal(4, 1, 600)})
    frame["staff"] = random.integers(1, 40, 600)
    frame["profit"] = frame["revenue"] - frame["cost"]
    frame["booked"] = frame["profit"] * 1.19 + random.normal(0, 0.1, 600)
    use_case, proposal = proposed(frame, "profit", tmp_path)
    assert set(use_case.data.unavailable_at_prediction) == {"revenue", "cost", "booked"}
    assert "`revenue` - `cost` = `profit`" in proposal.yaml


def test_semicolons_and_decimal_commas_are_found(tmp_path: Path) -> None:
    frame = pd.read_csv(CHURN)[["monthly_charges", "contract", "tenure", "churn"]]
    path = tmp_path / "kündigungen.csv"
    frame.to_csv(path, sep=";", decimal=",", index=False)
    use_case = loaded(propose(str(path), "churn"), tmp_path)
    source = use_case.data.sources[0]
    assert (source.separator, source.decimal) == (";", ",")
    assert use_case.data.expectations.columns["monthly_charges"].type == "number"
    assert read(use_case.data)["monthly_charges"].sum() == pytest.approx(frame["monthly_charges"].sum())


@pytest.mark.parametrize("separator", ["\t", "|", ";", ","])
def test_text_with_commas_does_not_mislead(tmp_path: Path, separator: str) -> None:
    lines = [separator.join(["note", "amount", "paid"])]
    lines += [separator.join(['"a, b; c"', str(i % 7), "yes" if i % 3 else "no"]) for i in range(60)]
    path = tmp_path / "table.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    use_case = loaded(propose(str(path), "paid"), tmp_path)
    assert use_case.data.sources[0].separator == separator


def test_a_database_is_read_by_its_query(tmp_path: Path) -> None:
    database = tmp_path / "shop.db"
    with sqlite3.connect(database) as connection:
        pd.read_csv(CHURN).rename_axis("customer_id").reset_index().to_sql("customers", connection, index=False)
    query = "SELECT * FROM customers WHERE tenure > 0 AND contract <> 'x: y'"
    use_case = loaded(propose(f"sqlite:///{database}", "churn", query=query), tmp_path)
    assert use_case.data.sources[0].query == query
    assert use_case.data.id == "customer_id"
    assert use_case.name == "churn"
    assert len(training_rows(use_case)) > 5000


@pytest.mark.parametrize(
    ("values", "task", "positive"),
    [
        ([0, 1] * 40, "binary", 1),
        ([0.0, 1.0, None] * 30, "binary", 1),
        ([True, False, False] * 30, "binary", True),
        (pd.array([1, 0, None, 0] * 30, dtype="Int64"), "binary", 1),
        (pd.array([True, False, None, False] * 30, dtype="boolean"), "binary", True),
        (pd.Categorical(["b", "a", "a"] * 30), "binary", "b"),
        (["n", "y", "y"] * 30, "binary", "y"),
        (["fraud", "fine", "fine"] * 30, "binary", "fraud"),
        (["1", "0", "0"] * 30, "binary", "1"),
        ([1, 2, 3] * 30, "multiclass", None),
        (["a", "b", "no"] * 30, "multiclass", None),
        (list(range(90)), "regression", None),
        ([0.5, 1.0, 1.5] * 30, "regression", None),
    ],
)
def test_task_and_positive_class(tmp_path: Path, values: list[object], task: str, positive: object) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"outcome": values, "size": random.normal(size=len(values))})
    use_case, _ = proposed(frame, "outcome", tmp_path)
    assert use_case.problem.task == task
    if use_case.problem.task == "binary":
        assert use_case.problem.positive == positive
        assert type(use_case.problem.positive) is type(positive)
    training_rows(use_case)


def test_dates_with_dots_begin_with_the_day(tmp_path: Path) -> None:
    frame = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=400).strftime("%d.%m.%Y")})
    frame["sales"] = np.arange(400) % 41 + 0.5
    use_case, _ = proposed(frame, "sales", tmp_path)
    assert use_case.data.time == "date"
    assert list(training_rows(use_case)["date"].iloc[[0, 32]]) == [pd.Timestamp(2020, 1, 1), pd.Timestamp(2020, 2, 2)]


def test_columns_of_odd_types_are_left_out(tmp_path: Path) -> None:
    frame = pd.read_csv(CHURN).head(300)[["tenure", "contract", "churn"]]
    frame["tags"] = [["a", "b"]] * 300
    frame["blob"] = [b"x"] * 300
    frame["nothing"] = None
    use_case, _ = proposed(frame, "churn", tmp_path)
    assert use_case.features.exclude == ["tags", "blob", "nothing"]
    training_rows(use_case)


def test_small_whole_numbers_named_as_amount_are_regression(tmp_path: Path) -> None:
    frame = pd.DataFrame({"item_count": [1, 2, 3, 4] * 30, "size": np.random.default_rng(0).normal(size=120)})
    assert proposed(frame, "item_count", tmp_path)[0].problem.task == "regression"


def test_a_class_with_one_row_is_left_out_and_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"kind": ["a", "b", "c"] * 30 + ["typo"], "size": np.arange(91) % 13})
    use_case, proposal = proposed(frame, "kind", tmp_path)
    assert use_case.data.expectations.columns["kind"].allowed == ["a", "b", "c"]
    assert "'typo'" in proposal.yaml
    training_rows(use_case)


def test_rows_of_one_patient_stay_together(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"patient_id": random.integers(1, 80, 600), "pulse": random.normal(70, 9, 600)})
    frame["ill"] = np.where(frame["pulse"] + random.normal(0, 9, 600) > 78, "yes", "no")
    use_case, _ = proposed(frame, "ill", tmp_path)
    assert use_case.split.group == "patient_id"
    assert use_case.features.exclude == []
    training_rows(use_case)


def test_birthdays_are_no_time_and_postcodes_no_numbers(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"birth_date": pd.date_range("1960-01-01", periods=300).strftime("%Y-%m-%d")})
    frame["zip_code"] = random.integers(10_000, 10_030, 300)
    frame["member_no"] = np.arange(300) + 1000
    frame["ill"] = random.choice(["yes", "no"], 300)
    use_case, _ = proposed(frame, "ill", tmp_path)
    assert use_case.data.time is None
    assert use_case.data.id == "member_no"
    assert use_case.features.categorical == ["zip_code"]
    assert use_case.data.expectations.columns["birth_date"].type == "datetime"


NASTY = [
    "yes",
    "no: really",
    "# hash",
    "1.5",
    "'q'",
    '"dq"',
    "naïve £",
    "a, b",
    "- x",
    "{c}",
    "null",
    "back\\slash",
    "*a",
]


def test_any_column_name_and_class_survive_the_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.choice(["on", "off: ~", "07"], 400) for name in NASTY})
    frame["Größe & Gewicht"] = random.normal(size=400)
    frame["class"] = random.integers(0, 9, 400)
    frame['target: y/n? "second\\line"'] = np.where(frame["Größe & Gewicht"] > 0.5, "off", "#1 'on'")
    use_case, proposal = proposed(frame, 'target: y/n? "second\\line"', tmp_path)
    assert use_case.data.target == 'target: y/n? "second\\line"'
    assert set(use_case.data.expectations.columns) | set(use_case.data.unavailable_at_prediction) == set(frame.columns)
    assert use_case.data.unavailable_at_prediction == ["Größe & Gewicht"]
    assert "second" in proposal.yaml
    train = training_rows(use_case)
    assert cross_validate("rules", {}, train, use_case)[0].mean >= 0.5


def test_rules_name_awkward_columns_and_hold_in_the_rule_model(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"Körper größe": random.normal(size=500), "is active": random.random(500) > 0.5})
    noise = random.normal(size=500)
    frame["buys"] = np.where(frame["Körper größe"] + 2 * frame["is active"] + noise > 1.5, "yes", "no")
    use_case, _ = proposed(frame, "buys", tmp_path)
    assert any("`" in rule.when for rule in use_case.rules.conditions)
    train = training_rows(use_case)
    assert cross_validate("rules", {}, train, use_case)[0].mean > 0.7


def test_the_schema_line_fits_the_place_of_the_file() -> None:
    inside = propose(CHURN, "churn", output=Path("configs/mine/Churn 2024.yaml"))
    assert inside.yaml.startswith("# yaml-language-server: $schema=../use_case.schema.json\n")
    assert inside.name == "churn_2024"


def test_a_name_that_no_use_case_can_have_is_refused() -> None:
    with raises("profiling.name_invalid", "my_churn"):
        propose(CHURN, "churn", name="My churn")


def error(data: object, target: str, query: str | None = None) -> NoriaError:
    with pytest.raises(NoriaError) as caught:
        propose(str(data), target, query=query)
    assert caught.value.fix
    return caught.value


def test_missing_file_names_the_one_that_was_meant() -> None:
    assert "telco_churn.csv" in error("data/telco_chrun.csv", "churn").fix


def test_misspelt_target_names_the_one_that_was_meant() -> None:
    assert "`churn`" in error(CHURN, "chrun").fix


@pytest.mark.parametrize(
    ("text", "told"),
    [("", ("data.file_empty",)), ("a,b\n", ("data.table_empty",)), ("b\n1\n2\n", ("profiling.inputs_missing",))],
)
def test_tables_without_content_are_refused(tmp_path: Path, text: str, told: tuple[str, ...]) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    assert_error(error(path, "b"), *told)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["x"] * 50, ("profiling.target_constant",)),
        ([None] * 50, ("profiling.target_constant",)),
        ([f"text {i}" for i in range(50)], ("profiling.target_classes_too_many",)),
        ([str(i) for i in range(49)] + ["n/k"], ("profiling.target_mixed",)),
        (["a"] * 49 + ["b"], ("profiling.target_class_too_rare", "3 rows")),
        ([dt.timedelta(hours=hour % 2) for hour in range(50)], ("profiling.target_kind_unusable",)),
    ],
)
def test_targets_that_cannot_be_learned_are_refused(
    tmp_path: Path, values: list[object], told: tuple[str, ...]
) -> None:
    path = tmp_path / "table.parquet"
    pd.DataFrame({"x": range(50), "y": values}).to_parquet(path)
    assert_error(error(path, "y"), *told)


def test_a_table_of_identifiers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pd.DataFrame({"id": range(50), "always": 1, "y": ["a", "b"] * 25}).to_parquet(path)
    assert "`always` is out (every value is 1)" in error(path, "y").what


def test_a_database_without_query_is_refused(tmp_path: Path) -> None:
    assert error(f"sqlite:///{tmp_path / 'x.db'}", "y").code == "profiling.query_missing"


def test_an_unreachable_database_is_named_without_a_traceback() -> None:
    assert "nowhere" in str(error("sqlite:////nowhere/at/all.db", "y", query="SELECT 1"))


def test_a_password_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = error("postgresql://me:s3cret@127.0.0.1:1/db", "y", query="SELECT 1")
    assert refused.code == "profiling.password_in_url"
    assert "s3cret" not in str(refused)
    assert "${env:DB_PASSWORD}" in refused.fix
