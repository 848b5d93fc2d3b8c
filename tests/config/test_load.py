"""Reading a use case: what is wrong is named, with the place and the way out."""

import json
import re
from pathlib import Path

import pytest
import yaml

from noria.config import UseCase, expand_environment, load_use_case, use_case_schema, write_schema
from noria.system.errors import NoriaError
from tests.errors_raised import assert_error, raises

CHURN = Path("configs/telco_churn.yaml")
BUNDLED = sorted(Path("configs").glob("*.yaml"))


def changed(folder: Path, old: str, new: str, base: Path = CHURN) -> Path:
    text = base.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = folder / "changed.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def error(path: Path) -> NoriaError:
    with pytest.raises(NoriaError) as caught:
        load_use_case(path)
    assert str(path) in caught.value.where
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_bundled_use_cases_load(path: Path) -> None:
    assert load_use_case(path).name == path.stem


def test_bundled_use_cases_have_names_and_ports_of_their_own() -> None:
    use_cases = [load_use_case(path) for path in BUNDLED]
    assert len({use_case.serving.port for use_case in use_cases}) == len(use_cases)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_a_use_case_survives_being_written_as_json(path: Path) -> None:
    use_case = load_use_case(path)
    assert UseCase.model_validate_json(use_case.model_dump_json()) == use_case


def test_the_json_schema_is_up_to_date(tmp_path: Path) -> None:
    write_schema(tmp_path / "schema.json")
    fresh = json.loads((tmp_path / "schema.json").read_text(encoding="utf-8"))
    assert json.loads(Path("configs/use_case.schema.json").read_text(encoding="utf-8")) == fresh


def test_every_key_of_the_schema_is_explained() -> None:
    schema = use_case_schema()
    sections = [schema, *schema["$defs"].values()]
    silent = [
        f"{section.get('title')}.{name}"
        for section in sections
        for name, field in section.get("properties", {}).items()
        if not field.get("description") and name != "task"
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("old", "new", "key", "meant"),
    [
        ("  threshold: best_worth", "  treshold: best_worth", "decision.treshold", "`threshold`"),
        ("  margin: 0.005", "  margn: 0.005", "evaluation.margn", "`margin`"),
        ("\nserving:", "\nserve:", "serve", "`serving`"),
        ("    false_positive: -40", "    false_positives: -40", "problem.worth.false_positives", "`false_positive`"),
        ("      path: data/telco_churn.csv", "      pth: data/telco_churn.csv", "data.sources.0.pth", "`path`"),
        ("learning_rate: {low: 0.01,", "learning_rate: {lo: 0.01,", "search.learning_rate.lo", "`low`"),
        ("tenure: {type: integer,", "tenure: {typ: integer,", "columns.tenure.typ", "`type`"),
    ],
)
def test_an_unknown_key_is_named_with_what_was_meant(tmp_path: Path, old: str, new: str, key: str, meant: str) -> None:
    found = error(changed(tmp_path, old, new))
    assert f"{key}`" in found.what
    assert f"did you mean {meant}?" in found.fix


def test_a_key_like_no_other_gets_the_list_of_known_ones(tmp_path: Path) -> None:
    found = error(changed(tmp_path, "  port: 3000", "  port: 3000\n  zzz: 1"))
    assert "known keys there:" in found.fix
    assert "max_rows" in found.fix


def test_a_missing_key_is_explained(tmp_path: Path) -> None:
    found = error(changed(tmp_path, "  target: churn\n", ""))
    assert "`data.target` is missing" in found.what
    assert "The column to predict" in found.fix


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("  port: 3000", "  port: many", "serving.port"),
        ("  port: 3000", "  port: 99999", "serving.port"),
        ("  test_share: 0.25", "  test_share: 1.5", "split.test_share"),
        ("  method: stratified", "  method: random", "split.method"),
        ("  trials: 15", "  trials: 1.5", "models.trials"),
        ("name: telco_churn", "name: Telco Churn", "name"),
        ("  task: binary", "  task: ternary", "problem"),
        ("  margin: 0.005", "  margin: .nan", "evaluation.margin"),
        ("    dummy: {}", "    neural: {}", "models.candidates"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert f"`{key}" in error(changed(tmp_path, old, new)).what


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("  window: {half_life_days: -1}", "data.window.half_life_days"),
        ("  window: {days: few}", "data.window.days"),
        ("  window: sometimes", "data.window"),
    ],
)
def test_a_value_or_section_that_is_wrong_is_named_by_its_key_alone(tmp_path: Path, line: str, key: str) -> None:
    flights = Path("configs/flight_delays.yaml")
    found = error(changed(tmp_path, "  time: scheduled\n", f"  time: scheduled\n{line}\n", flights))
    assert re.findall(r"`(data[^`]*)`", found.what) == [key]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  metric: roc_auc", "  metric: mae", "does not fit task `binary`"),
        ("  threshold: best_worth", "  act_from: 3", "does not apply to task `binary`"),
        ("  method: stratified", "  method: time", "needs data.time"),
        ("  method: stratified", "  method: group", "go together"),
        ("  method: stratified", "  method: stratified\n  cutoff: 2012-01-01", "`method: time`"),
        ("  target: churn\n", "  target: churn\n  id: churn\n", "second role"),
        ("      path: data/telco_churn.csv", "      query: SELECT 1", "`path`"),
        ("      path: data/telco_churn.csv", "      url: sqlite://", "go together"),
        ("  max_categories: 50", "  numeric: [a]\n  categorical: [a]", "both numeric and categorical"),
        ("  drift_retrain: 0.6", "  drift_retrain: 0.1", "must not exceed"),
        ("subsample: {low: 0.5, high: 1.0}", "subsample: {low: 2, high: 1}", "must not exceed"),
        ("subsample: {low: 0.5, high: 1.0}", "subsample: {low: 0.5}", "`low` and `high`"),
    ],
)
def test_sections_that_contradict_each_other_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in error(changed(tmp_path, old, new)).what


def test_rules_of_a_regression_answer_with_numbers(tmp_path: Path) -> None:
    path = changed(tmp_path, "  otherwise: 160", "  otherwise: many", Path("configs/bike_demand.yaml"))
    assert "is a number" in error(path).what


def test_a_key_written_twice_is_refused_by_its_line(tmp_path: Path) -> None:
    found = error(changed(tmp_path, "  folds: 5", "  folds: 5\n  trials: 3"))
    line = found.where.rpartition("line ")[2]
    assert "`trials` is written twice" in found.what
    assert Path(tmp_path / "changed.yaml").read_text(encoding="utf-8").splitlines()[int(line) - 1] == "  trials: 3"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"name: [", ("config.yaml_invalid",)),
        (b"", ("config.no_mapping",)),
        (b"- a\n- b\n", ("config.no_mapping",)),
        (b"name: caf\xe9\n", ("config.not_text",)),
        (b"name: !!python/object/apply:os.system ['true']\n", ("config.yaml_invalid",)),
        (b"? [a, b]\n: 1\n", ("config.yaml_invalid",)),
    ],
)
def test_files_that_are_no_use_case_are_refused(tmp_path: Path, raw: bytes, told: tuple[str, ...]) -> None:
    path = tmp_path / "other.yaml"
    path.write_bytes(raw)
    assert_error(error(path), *told)


def test_a_missing_file_names_those_that_are_there() -> None:
    found = error(Path("configs/nothing.yaml"))
    assert "configs/telco_churn.yaml" in found.fix


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    raw = yaml.safe_load(CHURN.read_text(encoding="utf-8"))
    raw["serving"]["port"] = -1
    raw["split"]["sed"] = 1
    del raw["data"]["target"]
    path = tmp_path / "three.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    what = error(path).what
    assert all(key in what for key in ("serving.port", "split.sed", "data.target"))


def test_environment_is_filled_in_and_missing_names_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_USER", "ann$")
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    assert expand_environment("${env:DB_USER}@$host ${env:} $DB_USER", where="url") == "ann$@$host ${env:} $DB_USER"
    with raises("config.variable_unset") as caught:
        expand_environment("${env:DB_USER}:${env:DB_PASSWORD}", where="data.sources.rows.url")
    assert "DB_PASSWORD" in caught.value.what
    assert caught.value.where == "data.sources.rows.url"
    assert "export DB_PASSWORD" in caught.value.fix


def test_loading_keeps_secrets_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DB_PASSWORD", "s3cret")
    source = "url: postgresql://me:${env:DB_PASSWORD}@host/db\n      query: SELECT * FROM customers"
    use_case = load_use_case(changed(tmp_path, "path: data/telco_churn.csv", source))
    assert "s3cret" not in use_case.model_dump_json()
