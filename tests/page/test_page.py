"""What a person sees and does on the page, in a real browser."""

import json
from collections.abc import Callable

import pytest
from person import Open, answer_id, send
from starlette.responses import JSONResponse, PlainTextResponse

from noria.bundle import Bundle

pytestmark = pytest.mark.e2e
LABELS = "[...document.querySelectorAll('#fields .label > label:first-child')].map((label) => label.textContent)"


def test_the_form_is_made_from_the_model_and_filled_with_a_real_case(open_page: Open) -> None:
    tab, standin = open_page()
    assert tab.text("h1") == "Telco churn"
    assert "Describe one customer. The service says how likely “churn: Yes” is" in tab.text("#lead")
    labels = tab.run(LABELS)
    assert len(labels) == len(standin.bundle.manifest.schema_.names)
    assert labels[:2] == ["Female", "Senior citizen"]
    assert "Known so far: 0 to 72" in tab.text("#fields")
    contract = "[...document.querySelector('[name=contract]').options].map((option) => option.text)"
    assert tab.run(contract) == ["Month-to-month", "Two year", "One year", "Another value …", "Not known"]
    assert tab.run("document.querySelector('[name=female]').selectedOptions[0].text") == "Yes"
    assert tab.run("document.querySelector('[name=monthly_charges]').value") == "29.85"
    assert "example 1 of 5" in tab.text("#filled")


def test_what_is_sent_is_what_the_form_shows(open_page: Open) -> None:
    tab, standin = open_page()
    examples = standin.examples
    send(tab)
    tab.click("#example")
    assert "example 2 of 5" in tab.text("#filled")
    send(tab)
    tab.click("#empty")
    send(tab)
    nothing = dict.fromkeys(examples[0])
    assert standin.said("/predict") == [{"rows": [row]} for row in (*examples[:2], nothing)]
    assert standin.said("/explain") == standin.said("/predict")


def test_the_answer_is_told_in_plain_words(open_page: Open) -> None:
    tab, _ = open_page()
    assert "It appears here" in tab.text("#answer")
    send(tab)
    assert "73 of 100" in tab.text("#said .large")
    assert "Of 100 customers like this one, about 73 turn out “churn: Yes”." in tab.text("#said")
    assert tab.text(".decision").split("\n")[-1] == "Act. The rule is to act from 20.7 of 100 on."
    assert tab.run("document.querySelectorAll('.dots .on').length") == 73
    assert "Model version 1 · variant champion · answer 0000" in tab.text("#print")
    assert "It appears here" not in tab.text("#answer")
    spoken = tab.run("document.getElementById('spoken').textContent")
    assert spoken == "Of 100 customers like this one, about 73 turn out “churn: Yes”. Act."


def test_each_reason_has_a_bar_whose_side_and_sign_show_its_direction(open_page: Open) -> None:
    tab, _ = open_page()
    send(tab)
    read = (
        "[...document.querySelectorAll('.reasons li')].map((li) => { const t = li.querySelector('.track')"
        ".getBoundingClientRect(), b = li.querySelector('.bar').getBoundingClientRect();"
        " return {name: li.querySelector('.name').textContent, amount: li.querySelector('.amount').textContent,"
        " left: b.left - (t.left + t.width / 2), right: b.right - (t.left + t.width / 2), half: t.width / 2}; })"
    )
    shown = tab.run(read)
    assert len(shown) == 9
    assert shown[-1]["name"] == "11 other entries together"
    for reason in shown:
        up = reason["amount"].startswith("+")
        assert reason["amount"].endswith(" of 100, more likely" if up else " of 100, less likely")
        assert (reason["left"] > -1.5) if up else (reason["right"] < 1.5)
    assert shown[0]["name"] == "Tenure: 1"
    assert shown[0]["right"] == pytest.approx(shown[0]["half"], abs=1)
    total = sum(float(reason["amount"].split(" ")[0].replace("−", "-")) for reason in shown)
    assert total == pytest.approx(73 - 29, abs=4.5)  # each is rounded to a whole one
    tab.click("#why button")
    names = [reason["name"].split(": ")[0] for reason in tab.run(read)]
    assert len(names) == 8 + 11
    assert {"Female", "Senior citizen"} <= set(names)
    assert "They need not be causes" in tab.text("#why")
    tab.click("#why button")
    assert len(tab.run(read)) == 9


def test_not_known_can_be_said_of_every_field_and_taken_back(open_page: Open) -> None:
    tab, standin = open_page()
    unknown = "[id='" + tab.run("document.querySelector('[name=tenure]').id") + "-unknown']"
    tab.click(unknown)
    assert tab.run("document.querySelector('[name=tenure]').value") == ""
    tab.click(unknown)
    assert tab.run("document.querySelector('[name=tenure]').value") == "1"
    tab.put("[name=tenure]", "")
    assert tab.run(f"document.querySelector({json.dumps(unknown)}).checked") is True
    tab.choose("[name=contract]", "Not known")
    tab.choose("[name=partner]", "Not known")
    send(tab)
    sent = standin.said("/predict")[0]["rows"][0]
    assert (sent["tenure"], sent["contract"], sent["partner"]) == (None, None, None)
    assert "Tenure: not known" in tab.text("#why")


def test_values_of_ones_own_are_sent_and_warned_of(open_page: Open) -> None:
    tab, standin = open_page()
    tab.choose("[name=contract]", "Another value …")
    assert tab.run("document.activeElement.ariaLabel") == "Contract: another value"
    tab.write("Weekly")
    tab.put("[name=tenure]", "99")
    assert "New to the model" in tab.text("#fields")
    send(tab)
    sent = standin.said("/predict")[0]["rows"][0]
    assert (sent["contract"], sent["tenure"]) == ("Weekly", 99)
    said = tab.text("#said .notice")
    assert "Contract: the model has never met “Weekly”." in said
    assert "Tenure: 99 is outside what the model has met so far (0 to 72)." in said


def test_a_number_is_told(open_page: Open) -> None:
    tab, standin = open_page("bike", facts={"metric": "mae", "metrics": {"mae": {"value": 89.5}}})
    assert tab.run("document.querySelector('[name=dteday]').type") == "date"
    tab.put("[name=temp]", "-3,5")
    send(tab)
    sent = standin.said("/predict")[0]["rows"][0]
    assert (sent["dteday"], sent["temp"], sent["hr"]) == ("2011-01-01", -3.5, "2am")
    assert "For this hour the model expects “cnt” to be about" in tab.text("#said")
    assert "Do nothing. The rule is to act only from 400 on." in tab.text(".decision")
    assert tab.run("document.querySelectorAll('.dots').length") == 0
    assert "For hours in general the model expects" in tab.text("#why")
    assert "higher" in tab.text("#why")
    tab.click("summary")
    assert "off by 89.5 on average, on hours" in tab.text("#about")
    tab.put("#truth", "many")
    tab.press("Enter")
    assert "“many” is not a number" in tab.text("#outcome")
    tab.put("#truth", "42")
    tab.press("Enter")
    tab.wait("document.querySelector('#outcome .notice')")
    assert "The answer was off by" in tab.text("#outcome")
    assert standin.said("/feedback") == [{"labels": [{"id": answer_id(tab), "label": 42}]}]


def test_one_of_several_classes_is_told(open_page: Open) -> None:
    tab, standin = open_page("contracts")
    send(tab)
    assert tab.text("#said .large") == "Month-to-month"
    assert "about 98 turn out “contract: Month-to-month”" in tab.text("#said")
    assert "Go by this answer. The rule is to ask a person below 50 of 100." in tab.text(".decision")
    assert "to turn out “contract: Month-to-month”" in tab.text("#why")
    tab.click(".choices button:last-child")
    tab.wait("document.querySelector('#outcome .notice')")
    assert standin.said("/feedback")[0]["labels"][0]["label"] == "Two year"
    assert "The answer was “contract: Month-to-month”." in tab.text("#outcome")


def test_many_classes_are_a_list(open_page: Open) -> None:
    classes = ["Month-to-month", "One year", "Two year", "Weekly", "Daily"]
    tab, standin = open_page("contracts", facts={"classes": classes})
    send(tab)
    tab.choose("#truth", "Daily")
    tab.click(".truth button")
    tab.wait("document.querySelector('#outcome .notice')")
    assert standin.said("/feedback")[0]["labels"][0]["label"] == "Daily"


def test_written_rules_are_named_as_such(open_page: Open) -> None:
    tab, _ = open_page(kind="rules")
    send(tab)
    assert "Your written rules say so." in tab.text(".decision")
    assert "Contract: Month-to-month" in tab.text("#why")
    assert "Without influence here: Female, " in tab.text("#why")


def test_the_truth_is_sent_and_can_be_corrected(open_page: Open) -> None:
    tab, standin = open_page()
    send(tab)
    assert tab.text(".choices").split("\n") == ["It was “churn: Yes”", "It was “churn: No”"]
    tab.click(".choices button")
    tab.wait("document.querySelector('#outcome .notice')")
    assert "The model expected it for 73 of 100 such customers." in tab.text("#outcome")
    assert tab.run("document.activeElement.className") == "notice good"
    tab.click("#outcome button")
    tab.click(".choices button:last-child")
    tab.wait("document.querySelector('#outcome .notice')")
    answer = answer_id(tab)
    sent = [{"labels": [{"id": answer, "label": label}]} for label in ("Yes", "No")]
    assert standin.said("/feedback") == sent


def test_an_example_is_a_trial_until_the_person_says_otherwise(open_page: Open) -> None:
    tab, standin = open_page()
    checked = "document.getElementById('trial').checked"
    assert tab.run(checked) is True
    send(tab)
    assert "does not count" in tab.text("#outcome")
    tab.click(".choices button")
    tab.wait("document.querySelector('#outcome .notice')")
    assert "It is not kept" in tab.text("#outcome .notice")
    assert standin.trials == [("/predict", True), ("/explain", True), ("/feedback", True)]
    tab.click("#trial")
    send(tab)
    assert "how good the model really is" in tab.text("#outcome")
    assert standin.trials[3:] == [("/predict", False), ("/explain", False)]
    tab.click("#example")
    assert tab.run(checked) is True
    tab.click("#empty")
    assert tab.run(checked) is False


def test_a_truth_that_cannot_be_kept_is_not_thanked_for(open_page: Open) -> None:
    tab, standin = open_page(failures={"/feedback": JSONResponse({"error": "the store is full"}, 503)})
    send(tab)
    tab.click(".choices button")
    tab.wait("document.querySelector('#outcome .wrong').textContent")
    assert "The store is full. Try again in a moment." in tab.text("#outcome .wrong")
    assert "Thank you" not in tab.text("#outcome")
    standin.failures.clear()
    tab.click(".choices button")
    tab.wait("document.querySelector('#outcome .notice')")


def test_after_a_change_the_old_answer_is_marked(open_page: Open) -> None:
    tab, _ = open_page()
    send(tab)
    assert not tab.run("document.getElementById('answer').classList.contains('stale')")
    tab.put("[name=tenure]", "30")
    assert "An entry has changed since" in tab.text("#answer")
    send(tab)
    assert "An entry has changed since" not in tab.text("#answer")
    assert not tab.run("document.getElementById('answer').classList.contains('stale')")


def test_a_new_model_is_noticed_and_what_was_entered_stays(
    open_page: Open, bundle_of: Callable[[str, str], Bundle]
) -> None:
    tab, standin = open_page()
    tab.put("[name=tenure]", "33")
    send(tab)
    columns = [column.model_dump() for column in standin.bundle.manifest.schema_.columns]
    extra = {"name": "shoe_size", "kind": "number", "categories": [], "minimum": 30, "maximum": 50, "missing": 0}
    standin.facts = {"version": "2", "inputs": [*columns, extra]}
    send(tab)
    assert "Model version 2" in tab.text("#print")
    assert tab.run(LABELS)[-1] == "Shoe size"
    assert tab.run("document.querySelector('[name=tenure]').value") == "33"


def test_a_rule_that_was_changed_meanwhile_is_asked_for(open_page: Open) -> None:
    tab, standin = open_page(facts={"policy": {"threshold": 0.9, "review_margin": 0.0}})
    standin.facts = {}
    send(tab)
    assert "Act. The rule is to act from 20.7 of 100 on." in tab.text(".decision")


def test_the_variant_that_answered_has_its_own_rule_and_the_reasons_may_be_anothers(open_page: Open) -> None:
    variants = [{"name": "champion", "version": "1", "kind": "rules", "policy": {"threshold": 0.5, "review_margin": 0}}]
    tab, _ = open_page(facts={"variants": variants}, explained_by={"variant": "old", "version": "0"})
    send(tab)
    assert "Act. Your written rules say so." in tab.text(".decision")
    said = "The answer came from variant champion, version 1; these are the reasons of old, version 0."
    assert said in tab.text("#why")


def test_markup_in_the_data_stays_text(open_page: Open) -> None:
    nasty = "<img src=x onerror=document.title='hacked'>"
    column = {"name": nasty, "kind": "category", "categories": [nasty], "minimum": None, "maximum": None, "missing": 0}
    tab, _ = open_page(facts={"name": nasty, "case": nasty, "target": nasty, "inputs": [column], "examples": []})
    assert tab.run("document.querySelectorAll('main img').length") == 0
    assert nasty[1:] in tab.text("h1")
    assert nasty in tab.run("document.querySelector('select').options[0].text")


def test_the_service_may_know_less_than_the_page_asks(open_page: Open) -> None:
    tab, standin = open_page(failures={"/explain": PlainTextResponse("no", 404)}, facts={"examples": []})
    assert tab.run("document.getElementById('example').hidden") is True
    tab.click("#send")
    tab.wait("document.querySelector('#why .notice')")
    assert "of 100" in tab.text("#said .large")
    assert "The reasons cannot be shown." in tab.text("#why")
    standin.failures.clear()
    tab.click("#why button")
    tab.wait("document.querySelector('.reasons li')")


def test_without_scripts_the_page_says_so(open_page: Open) -> None:
    tab, _ = open_page(ready=False, scripts=False)
    assert "This page needs JavaScript" in tab.text()
