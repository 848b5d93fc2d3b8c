"""When something goes wrong: what is told, where, and that nothing entered is lost."""

import pytest
from browser import Tab
from person import Open, send
from starlette.responses import HTMLResponse, JSONResponse, Response

pytestmark = pytest.mark.e2e
DIALOG = "document.getElementById('token').open"


def refused(tab: Tab) -> str:
    tab.click("#send")
    tab.wait("document.querySelector('#problem .notice')")
    return tab.text("#problem")


def test_what_is_no_number_is_said_at_its_field_before_anything_is_sent(open_page: Open) -> None:
    tab, standin = open_page()
    tab.put("[name=total_charges]", "1,234")
    tab.put("[name=tenure]", "two")
    tab.click("#send")
    assert "2 entries need your attention." in tab.text("#problem")
    field = "document.activeElement"
    assert tab.run(f"{field}.name") == "tenure"
    assert tab.run(f"{field}.getAttribute('aria-invalid')") == "true"
    described = (
        f"{field}.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent)"
    )
    assert "“two” is not a number." in tab.run(described)
    assert standin.heard == []
    tab.put("[name=tenure]", "2")
    assert tab.run(f"{field}.getAttribute('aria-invalid')") == "false"
    tab.put("[name=total_charges]", "1234")
    send(tab)
    assert tab.text("#problem") == ""


def test_an_own_value_left_empty_is_asked_for(open_page: Open) -> None:
    tab, _ = open_page()
    tab.choose("[name=contract]", "Another value …")
    assert "Write the value, or choose “Not known”." in refused(tab)
    assert tab.run("document.activeElement.ariaLabel") == "Contract: another value"


def test_what_the_service_refuses_is_said_at_its_field(open_page: Open) -> None:
    problem = {"row": 0, "problem": "tenure: too large; contract, partner: missing"}
    body = {"error": "1 of 1 row cannot be predicted", "fix": "", "rows": [problem]}
    tab, _ = open_page(failures={"/predict": JSONResponse(body, 422)})
    said = refused(tab)
    assert "3 entries need your attention." in said
    assert "Tenure: Too large." in said
    assert "Contract: Fill this in, or say that it is not known." in said
    assert tab.run("document.querySelectorAll('[aria-invalid=true]').length") == 3
    assert tab.run("document.activeElement.name") == "tenure"


def test_a_refusal_that_concerns_no_field_is_told_whole(open_page: Open) -> None:
    body = {"error": "the rows are odd", "fix": "send other ones", "rows": [{"row": 0, "problem": "shape: odd"}]}
    tab, _ = open_page(failures={"/predict": JSONResponse(body, 422)})
    said = refused(tab)
    assert "The rows are odd." in said
    assert "Send other ones." in said
    assert "Shape: odd." in said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            JSONResponse({"error": "slow"}, 429, {"Retry-After": "7"}),
            "Too many requests at once. Try again in 7 seconds.",
        ),
        (JSONResponse({"error": "slow down"}, 429), "Too many requests at once. Try again in a moment."),
        (
            JSONResponse({"error": "the spool is full"}, 503, {"Retry-After": "1"}),
            "The spool is full. Try again in a second.",
        ),
        (Response(b"", 503), "The service cannot answer at the moment. Try again in a moment."),
        (JSONResponse({"error": "secret inside"}, 500), "The service failed to answer."),
        (JSONResponse({"error": "too long", "fix": "send less"}, 413), "Too long. Send less."),
        (HTMLResponse("<p>Bad gateway</p>", 502), "The service failed to answer."),
        (HTMLResponse("<p>Log in to this network</p>"), "Something else than the service answers."),
    ],
)
def test_other_refusals_are_told_with_what_to_do(open_page: Open, answer: Response, said: str) -> None:
    tab, standin = open_page(failures={"/predict": answer})
    tab.put("[name=tenure]", "33")
    told = refused(tab)
    assert said in told
    assert "secret" not in told
    assert tab.run("document.querySelector('[name=tenure]').value") == "33"
    standin.failures.clear()
    send(tab)
    assert tab.text("#problem") == ""


def test_a_lost_connection_is_told_and_nothing_is_lost(open_page: Open) -> None:
    tab, _ = open_page()
    tab.put("[name=tenure]", "33")
    tab.offline(on=True)
    assert "The service cannot be reached. Check your connection and try again." in refused(tab)
    tab.offline(on=False)
    send(tab)
    assert "Tenure: 33" in tab.text("#why")


def test_a_service_that_is_not_ready_yet_can_be_asked_again(open_page: Open) -> None:
    tab, standin = open_page(ready=False, failures={"/model": JSONResponse({"error": "it has not started yet"}, 503)})
    tab.wait("document.querySelector('#failure .notice')")
    assert "It has not started yet." in tab.text("#failure")
    standin.failures.clear()
    tab.click("#failure button")
    tab.wait("!document.getElementById('work').hidden")
    assert tab.text("#failure") == ""


def test_a_token_is_asked_for_kept_in_this_tab_and_sent(open_page: Open) -> None:
    tokens = {"/model": "secret-1", "/predict": "secret-1", "/explain": "secret-1", "/feedback": "secret-2"}
    tab, standin = open_page(ready=False, tokens=tokens)
    tab.wait(DIALOG)
    assert "answers only those who have its access token" in tab.text("#token")
    assert tab.run("document.activeElement.id") == "token-input"
    assert tab.run("document.activeElement.type") == "password"
    tab.press("Enter")
    assert "Enter the token." in tab.text("#token")
    tab.write("schlüssel")
    tab.press("Enter")
    assert "no letters with accents" in tab.text("#token")
    tab.put("#token-input", "wrong")
    tab.press("Enter")
    tab.wait("document.getElementById('token-problem').textContent.startsWith('The service does not accept')")
    tab.put("#token-input", "secret-1")
    tab.press("Enter")
    tab.wait("!document.getElementById('work').hidden")
    send(tab)
    tab.click(".choices button")
    tab.wait(DIALOG)
    assert "this service wants a token of its own" in tab.text("#token")
    tab.put("#token-input", "secret-2")
    tab.press("Enter")
    tab.wait("document.querySelector('#outcome .notice')")
    assert tab.run("Object.values(sessionStorage).sort()") == ["secret-1", "secret-2"]
    assert tab.run("Object.keys(localStorage).length + document.cookie.length") == 0
    assert all("secret" not in url for url in tab.requests)
    tab.open(standin.url)
    tab.wait("!document.getElementById('work').hidden")
    assert not tab.run(DIALOG)


def test_whoever_has_no_token_is_told_so(open_page: Open) -> None:
    tab, _ = open_page(tokens={"/predict": "secret"})
    tab.click("#send")
    tab.wait(DIALOG)
    tab.press("Escape")
    tab.wait("document.querySelector('#problem .notice')")
    assert "The service answers only with its access token." in tab.text("#problem")
    assert tab.run("document.getElementById('case').ariaBusy") == "false"
