"""Files that a hurried or hostile person hands in: each ends in a clear error, and soon."""

import itertools
from pathlib import Path

import pytest

from noria.config import load_use_case
from noria.system.errors import NoriaError
from tests.errors_raised import assert_error, raises

CHURN = Path("configs/telco_churn.yaml").read_text(encoding="utf-8")


def error(folder: Path, content: str | bytes) -> NoriaError:
    path = folder / "given.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(NoriaError) as caught:
        load_use_case(path)
    assert str(path) in caught.value.where
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("x: " + "[" * 3000 + "]" * 3000, ("config.nested_too_deeply",)),
        ("x: " + "{a: " * 3000 + "1" + "}" * 3000, ("config.nested_too_deeply",)),
        ("x: &a [*a]", ("config.yaml_invalid",)),
        ("# " + "x" * 2_000_000, ("config.too_large", "1 MB")),
        ("x: " + "9" * 5000, ("config.yaml_invalid",)),
        ("x: 2012-13-45", ("config.yaml_invalid",)),
        ("x: {<<: {a: 1}}", ("config.yaml_invalid",)),
        ("yes: 1", ("config.yaml_invalid", "`yes`")),
        ("5: 1", ("config.yaml_invalid", "`5`")),
        ("x: a\x00b", ("config.not_text",)),
        (CHURN.encode("utf-16"), ("config.not_text",)),
    ],
)
def test_a_file_that_would_break_a_naive_reader_is_refused(
    tmp_path: Path, content: str | bytes, told: tuple[str, ...]
) -> None:
    assert_error(error(tmp_path, content), *told)


def test_aliases_of_aliases_of_aliases_take_no_time_and_no_memory(tmp_path: Path) -> None:
    names = "abcdefghijklmnop"
    lines = [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in itertools.pairwise(names)]
    bomb = "\n".join(["a: &a [x, x, x, x, x, x, x, x, x]", *lines])
    assert "unknown key `a`" in error(tmp_path, f"{bomb}\n{CHURN}").what


def test_a_value_of_no_allowed_type_is_one_mistake(tmp_path: Path) -> None:
    found = error(tmp_path, CHURN.replace('positive: "Yes"', "positive: [Yes]"))
    assert found.what == "`problem.positive`: must be a text, a number, true or false"
    assert "that we act on" in found.fix


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  target: churn\n", "  target: 5\n", "`data.target`: must be a text: write it in quotation marks"),
        ("serving:\n  port: 3000", "serving:", "`serving`: must be a section"),
        ("  task: binary\n", "", "`task` is missing"),
        ("      path: data", '      separator: ";;"\n      path: data', "must be one ASCII character"),
        ("tenure: {type: integer, min: 0, max: 120", "tenure: {type: integer, min: 9, max: 1", "must not exceed"),
        ('contract: {type: text, allowed: ["Month-to-month", "One year", "Two year"]}', "contract: {allowed: []}", ""),
        ("  seed: 42", "  seed: -5", "`split.seed`"),
        ("  folds: 5", "  folds: 5\n  jobs: 0", "`models.jobs`"),
        ("  threshold: best_worth", "  threshold: 5", "`decision.threshold`"),
        ("  window_days: 30", "  window_days: 1e12", "`monitoring.window_days`"),
        ("method: stratified", "method: group\n  group: churn", "second role"),
    ],
)
def test_values_that_would_fail_much_later_are_refused_at_once(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert CHURN.count(old) == 1
    assert said in error(tmp_path, CHURN.replace(old, new)).what


def test_tabs_and_colons_get_the_fix_that_helps(tmp_path: Path) -> None:
    assert "no tabs" in error(tmp_path, CHURN.replace("  question:", "\tquestion:")).fix
    assert "quotation marks" in error(tmp_path, CHURN.replace("Which customers", "Which: customers")).fix


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with raises("config.file_not_found"):
        load_use_case(tmp_path / ("x" * 300 + ".yaml"))
    with raises("config.file_unreadable"):
        load_use_case(Path("/proc/self/mem"))
