"""Numbers and sentences, computed in the browser as the page computes them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser, Tab
from standin import StandIn, standing

pytestmark = pytest.mark.e2e
BINARY = {
    "task": "binary",
    "kind": "xgboost",
    "case": "customer",
    "target": "churn",
    "classes": ["No", "Yes"],
    "positive": "Yes",
    "policy": {"threshold": 0.2, "review_margin": 0.03},
    "inputs": [{"name": "monthly_charges"}, {"name": "a: b"}],
    "metric": "roc_auc",
    "metrics": {"roc_auc": {"value": 0.849}},
}
MULTICLASS = BINARY | {
    "task": "multiclass",
    "target": "contract",
    "classes": ["Monthly", "One year"],
    "policy": {"review_below": 0.5},
}
REGRESSION = BINARY | {"task": "regression", "case": "city", "target": "cnt", "policy": {"act_from": 400.0}}


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Tab]:
    with standing(StandIn(None, failures={})) as standin, browser.tab() as opened:  # type: ignore[arg-type]
        yield opened.open(standin.url + "page/icon.svg")


def call(tab: Tab, module: str, function: str, *arguments: Any) -> Any:
    values = ", ".join(json.dumps(argument) for argument in arguments)
    return tab.run(f"import('/page/{module}.js').then((m) => m.{function}({values}))")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("79.9", 79.9),
        (" 79,9 ", 79.9),
        ("−5", -5),
        ("1 234.5", 1234.5),
        ("1’234", 1234),
        ("0,125", 0.125),
        ("1,2340", 1.234),
        (".5", 0.5),
        ("12345678901", 12345678901),
        ("1e-7", 1e-7),
    ],
)
def test_a_number_is_read_as_it_was_meant(tab: Tab, text: str, number: float) -> None:
    assert call(tab, "numbers", "readNumber", text) == {"value": number}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abc", "“abc” is not a number."),
        ("1,234", "Write 1234 without a comma"),
        ("12,345,678.9", "Write 12345678.9 without a comma"),
        ("1e999", "too large"),
        ("0x10", "not a number"),
        ("Infinity", "not a number"),
        ("1.2.3", "not a number"),
    ],
)
def test_what_is_no_number_or_could_be_two_is_refused(tab: Tab, text: str, said: str) -> None:
    read = call(tab, "numbers", "readNumber", text)
    assert "value" not in read
    assert said in read["problem"]


@pytest.mark.parametrize(
    ("number", "by", "text"), [(17.3, 1, "+17"), (-0.44, 0.1, "−0.4"), (12340, 100, "+12,300"), (-0.2, 1, "0")]
)
def test_effects_have_signs(tab: Tab, number: float, by: float, text: str) -> None:
    assert call(tab, "numbers", "signed", number, by) == text


@pytest.mark.parametrize(
    ("probability", "large", "some"),
    [
        (0.634, "63 of 100", "Of 100 customers like this one, about 63 turn out “churn: Yes”."),
        (0.0101, "1 of 100", "Of 100 customers like this one, about 1 turns out “churn: Yes”."),
        (0.004, "4 of 1,000", "Of 1,000 customers like this one, about 4 turn out “churn: Yes”."),
        (0.0001, "fewer than 1 of 1,000", "Of 1,000 customers like this one, fewer than 1 turns out “churn: Yes”."),
        (0.998, "more than 99 of 100", "Of 100 customers like this one, more than 99 turn out “churn: Yes”."),
        (1.0, "100 of 100", "Of 100 customers like this one, about 100 turn out “churn: Yes”."),
        (0.1996, "20.0 of 100", "Of 100 customers like this one, about 20.0 turn out “churn: Yes”."),
    ],
)
def test_probabilities_are_counted(tab: Tab, probability: float, large: str, some: str) -> None:
    said = call(tab, "words", "prediction", {"probability": probability, "prediction": "Yes"}, BINARY)
    assert (said["large"], said["text"]) == (large, some)


@pytest.mark.parametrize(
    ("facts", "answer", "word", "reason"),
    [
        (BINARY, {"probability": 0.6, "decision": "act"}, "Act", "act from 20 of 100 on."),
        (BINARY, {"probability": 0.1, "decision": "leave"}, "Do nothing", "act only from 20 of 100 on."),
        (BINARY, {"probability": 0.21, "decision": "ask"}, "Let a person decide", "and this is too close to tell."),
        (BINARY | {"kind": "rules"}, {"probability": 0.1, "decision": "act"}, "Act", "Your written rules say so."),
        (MULTICLASS, {"probability": 0.7, "decision": "act"}, "Go by this answer", "ask a person below 50 of 100."),
        (MULTICLASS, {"probability": 0.4, "decision": "ask"}, "Let a person decide", "ask a person below 50 of 100."),
        (REGRESSION, {"prediction": 450, "decision": "act"}, "Act", "act from 400 on."),
        (REGRESSION, {"prediction": 45, "decision": "leave"}, "Do nothing", "act only from 400 on."),
    ],
)
def test_decisions_name_their_rule(tab: Tab, facts: Any, answer: Any, word: str, reason: str) -> None:
    said = call(tab, "words", "decision", answer, facts)
    assert said["word"] == word
    assert said["reason"].endswith(reason)


def test_a_rule_that_was_changed_meanwhile_is_not_named(tab: Tab) -> None:
    said = call(tab, "words", "decision", {"probability": 0.3, "decision": "leave"}, BINARY)
    assert said == {"word": "Do nothing", "reason": ""}


def test_without_a_rule_there_is_no_decision(tab: Tab) -> None:
    for facts, answer in (
        (REGRESSION | {"policy": {"act_from": None}}, {"prediction": 1, "decision": "act"}),
        (MULTICLASS | {"policy": {"review_below": 0.0}}, {"probability": 0.4, "decision": "act"}),
    ):
        assert call(tab, "words", "decision", answer, facts) is None


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("monthly_charges: unseen category 'Pigeon; or'", "Monthly charges: the model has never met “Pigeon; or”."),
        (
            "monthly_charges: 999 is outside the training range 18–119",
            "Monthly charges: 999 is outside what the model has met so far (18 to 119).",
        ),
        ("a: b: odd", "A: b: odd"),
        ("something else", "something else"),
    ],
)
def test_warnings_are_sentences(tab: Tab, said: str, sentence: str) -> None:
    assert call(tab, "words", "warning", said, BINARY) == sentence


@pytest.mark.parametrize(
    ("name", "shown"),
    [("monthly_charges", "Monthly charges"), ("isOpen", "Is open"), ("customer_id", "Customer ID"), ("__", "__")],
)
def test_names_of_columns_are_made_readable(tab: Tab, name: str, shown: str) -> None:
    assert call(tab, "words", "title", name).lower() == shown.lower()
    assert call(tab, "words", "title", name)[:2] == shown[:2]


def test_thanks_say_how_it_compares(tab: Tab) -> None:
    answer = {"probability": 0.64, "decision": "act", "prediction": "Yes"}
    assert "expected it for 64 of 100 such customers" in call(tab, "words", "thanks", answer, "Yes", BINARY)
    assert "expected it for 36 of 100 such customers" in call(tab, "words", "thanks", answer, "No", BINARY)
    numbers = {"prediction": 251.0, "decision": "act", "probability": None}
    assert "off by 9" in call(tab, "words", "thanks", numbers, 260, REGRESSION)
    one = {"prediction": "Monthly", "probability": 0.7, "decision": "act"}
    assert call(tab, "words", "thanks", one, "Monthly", MULTICLASS).endswith("The answer was right.")
    assert "The answer was “contract: Monthly”" in call(tab, "words", "thanks", one, "One year", MULTICLASS)


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        ("roc_auc", 0.849, "85 of 100 times"),
        ("accuracy", 0.82, "right for 82 of 100 customers"),
        ("mae", 89.53, "off by 89.5 on average"),
        ("log_loss", 0.41234, "Log loss 0.412"),
    ],
)
def test_the_quality_is_told_in_words(tab: Tab, metric: str, value: float, said: str) -> None:
    facts = BINARY | {"metric": metric, "metrics": {metric: {"value": value}}}
    assert said in call(tab, "about", "quality", facts)
    assert call(tab, "about", "quality", facts | {"metrics": {}}) == ""


@pytest.mark.parametrize(
    ("rows", "wrong", "rest"),
    [
        (["tenure: 'abc' is not a number"], {"tenure": "“abc” is not a number."}, []),
        (["tenure: too large; contract: infinite"], {"tenure": "Too large.", "contract": "Infinite."}, []),
        (["tenure, contract: missing"], {"tenure": "Fill this in", "contract": "Fill this in"}, []),
        (["shape: odd"], {}, ["Shape: odd."]),
    ],
)
def test_refusals_find_their_fields(tab: Tab, rows: list[str], wrong: dict[str, str], rest: list[str]) -> None:
    fields = [{"name": "tenure"}, {"name": "contract"}]
    found = call(tab, "problems", "misfits", rows, fields)
    said = {field["name"]: text for field, text in found["wrong"]}
    assert said.keys() == wrong.keys()
    assert all(said[name].startswith(start) for name, start in wrong.items())
    assert found["rest"] == rest
