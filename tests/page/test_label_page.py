"""Labels by keyboard, one case at a time."""

from typing import Any

import pytest
from browser import Tab
from person import Open
from standin import StandIn
from starlette.responses import JSONResponse

CASES: list[dict[str, Any]] = [
    {"id": f"{place:032x}", "reason": "the probability 0.48 is near the threshold 0.50", "inputs": inputs}
    for place, inputs in enumerate([{"tenure": 3, "contract": "<b>Monthly</b>"}, {"tenure": 40}, {"tenure": None}])
]


def begin(open_page: Open, case: str = "churn", **settings: Any) -> tuple[Tab, StandIn]:
    """The page, once a name is typed."""
    tab, standin = open_page(case, cases=CASES, **settings)
    tab.open(f"{standin.url}label")
    tab.wait("!document.getElementById('who').hidden")
    tab.put("#name", "Ann")
    tab.press("Enter")
    tab.wait("!document.getElementById('work').hidden")
    return tab, standin


def at(tab: Tab, text: str) -> None:
    tab.wait(f"document.getElementById('case-title').textContent.startsWith('{text}')")


def labels(standin: StandIn) -> list[tuple[int, Any, str]]:
    sent = [body["labels"][0] for body in standin.said("/feedback")]
    return [(int(each["id"], 16), each["label"], each["by"]) for each in sent]


def test_classes_are_given_by_their_keys(open_page: Open) -> None:
    tab, standin = begin(open_page)
    assert "near the threshold" in tab.text("#reason")
    assert "<b>Monthly</b>" in tab.text("#inputs")
    tab.press("2")
    at(tab, "Case 2")
    tab.press("1")
    at(tab, "Case 3")
    assert "missing" in tab.text("#inputs")
    tab.press("2")
    at(tab, "That was the last")
    classes = standin.bundle.manifest.classes
    assert labels(standin) == [(0, classes[1], "Ann"), (1, classes[0], "Ann"), (2, classes[1], "Ann")]
    assert "3 labels" in tab.text("#reason")


def test_a_case_can_be_skipped_and_an_answer_taken_back(open_page: Open) -> None:
    tab, standin = begin(open_page)
    tab.press("s")
    at(tab, "Case 2")
    tab.press("1")
    at(tab, "Case 3")
    tab.press("u")
    at(tab, "Case 2")
    tab.press("2")
    at(tab, "Case 3")
    tab.press("9")
    classes = standin.bundle.manifest.classes
    assert labels(standin) == [(1, classes[0], "Ann"), (1, classes[1], "Ann")]


def test_a_number_is_typed(open_page: Open) -> None:
    tab, standin = begin(open_page, "bike")
    tab.write("1s")
    tab.press("Enter")
    tab.wait("document.getElementById('problem').textContent")
    tab.put("#truth", "12.5")
    tab.press("Enter")
    at(tab, "Case 2")
    assert labels(standin) == [(0, 12.5, "Ann")]


def test_the_name_is_typed_once_and_a_refused_label_keeps_the_case(open_page: Open) -> None:
    tab, standin = begin(open_page)
    rows = [{"row": 0, "problem": "label: somebody else has given another one"}]
    standin.failures["/feedback"] = JSONResponse({"error": "people disagree on this case", "rows": rows}, 422)
    tab.press("1")
    tab.wait("document.getElementById('problem').textContent")
    assert "somebody else" in tab.text("#problem")
    at(tab, "Case 1")
    tab.open(f"{standin.url}label")
    tab.wait("!document.getElementById('who').hidden")
    assert tab.run("document.getElementById('name').value") == "Ann"


@pytest.mark.parametrize("token", ["feedback-0123456789"])
def test_the_token_is_asked_for(open_page: Open, token: str) -> None:
    tab, standin = open_page(cases=CASES, tokens={"/label/cases": token})
    tab.open(f"{standin.url}label")
    tab.wait("document.getElementById('token').open")
    tab.put("#token-input", token)
    tab.press("Enter")
    tab.wait("!document.getElementById('who').hidden")
    assert "3 cases" in tab.text("#lead")


def test_nothing_waits(open_page: Open) -> None:
    tab, standin = open_page()
    tab.open(f"{standin.url}label")
    tab.wait("document.getElementById('lead').textContent.startsWith('No case')")
    assert tab.run("document.getElementById('who').hidden")
