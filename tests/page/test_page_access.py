"""Usable with a keyboard, on a telephone, in the dark, and by those who listen to the page."""

from typing import Any

import pytest
from browser import Tab
from person import Open, send

pytestmark = pytest.mark.e2e
FOCUS = (
    "(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();"
    " const over = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);"
    " return {id: e.id, name: e.name ?? '', outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,"
    " inside: r.top >= 0 && r.bottom <= innerHeight, seen: over === e || e.contains(over)}; })()"
)
CONTRASTS = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; }
    return [255, 255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const field = ['INPUT', 'SELECT'].includes(e.tagName) && e.type !== 'checkbox';
    if (!(own || field) || !e.checkVisibility() || e.closest('.unseen, .skip, noscript, option')) continue;
    const [a, b] = [light(rgba(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio]);
  }
  return poor;
})()
"""


def full(tab: Tab) -> None:
    """Bring up nearly everything the page can show."""
    tab.choose("[name=contract]", "Another value …")
    tab.write("Weekly")
    tab.put("[name=tenure]", "99")
    send(tab)
    tab.click("summary")


def test_everything_can_be_done_with_the_keyboard(open_page: Open) -> None:
    tab, standin = open_page()
    tab.screen(1280, 700)
    met: list[dict[str, Any]] = []
    while not met or met[-1]["id"] != "send":
        tab.press("Tab")
        met.append(tab.run(FOCUS))
        assert len(met) < 60
    assert met[0]["id"] == ""  # the link that skips to the answer
    names = [one["name"] for one in met if one["name"]]
    assert names == standin.bundle.manifest.schema_.names
    for one in met[1:]:
        assert (one["outline"], one["inside"], one["seen"]) == (True, True, True), one
    tab.press("Enter")
    tab.wait("document.querySelector('.reasons li')")
    choice = "document.activeElement.className === 'choice'"
    for _ in range(10):
        tab.press("Tab")
        if tab.run(choice):
            break
    assert tab.run(choice)
    tab.press(" ")
    tab.wait("document.querySelector('#outcome .notice')")
    assert standin.said("/feedback")[0]["labels"][0]["label"] == "Yes"


def test_enter_in_a_field_sends_the_form(open_page: Open) -> None:
    tab, standin = open_page()
    tab.put("[name=tenure]", "12")
    tab.press("Enter")
    tab.wait("document.querySelector('.reasons li')")
    assert standin.said("/predict")[0]["rows"][0]["tenure"] == 12


def test_the_dialog_holds_the_focus_and_gives_it_back(open_page: Open) -> None:
    tab, _ = open_page(tokens={"/predict": "secret"})
    tab.run("document.getElementById('send').focus()")
    tab.press("Enter")
    tab.wait("document.getElementById('token').open")
    for _ in range(6):
        tab.press("Tab")
        assert tab.run("document.activeElement === document.body || !!document.activeElement.closest('#token')")
    tab.press("Escape")
    tab.wait("!document.getElementById('token').open")
    assert tab.run("document.activeElement.id") == "send"


@pytest.mark.parametrize("case", ["churn", "bike", "contracts"])
@pytest.mark.parametrize("width", [320, 360, 768])
def test_nothing_is_wider_than_a_telephone(open_page: Open, case: str, width: int) -> None:
    tab, _ = open_page(case)
    tab.screen(width, 740, phone=True)
    send(tab)
    tab.click("summary")
    assert tab.run("document.documentElement.scrollWidth") <= width
    beyond = (
        "[...document.querySelectorAll('main *, footer *')].filter((e) => e.checkVisibility() &&"
        " !e.closest('.unseen') && (e.getBoundingClientRect().right > innerWidth + 0.5"
        " || e.getBoundingClientRect().left < -0.5)).map((e) => e.outerHTML.slice(0, 80))"
    )
    assert tab.run(beyond) == []


def test_fingers_and_eyes_find_their_targets(open_page: Open) -> None:
    tab, _ = open_page()
    tab.screen(360, 740, phone=True)
    full(tab)
    small = (
        "[...document.querySelectorAll('button, select, input, label.unknown')].filter((e) => e.checkVisibility())"
        ".map((e) => e.type === 'checkbox' ? e.closest('label') : e)"
        ".filter((e) => e.getBoundingClientRect().height < 24).map((e) => e.outerHTML.slice(0, 80))"
    )
    assert tab.run(small) == []
    sizes = (
        "[...document.querySelectorAll('input:not([type=checkbox]), select')]"
        ".map((e) => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(tab.run(sizes)) >= 16  # below that, telephones zoom in when a field is touched


def test_on_a_telephone_the_answer_comes_in_sight(open_page: Open) -> None:
    tab, _ = open_page()
    tab.screen(360, 740, phone=True)
    send(tab)
    top = tab.run("document.getElementById('answer').getBoundingClientRect().top")
    assert 0 <= top < 200


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_dark_enough_by_day_and_light_enough_by_night(open_page: Open, dark: bool) -> None:
    tab, _ = open_page()
    tab.screen(1280, 900, dark=dark)
    full(tab)
    assert tab.run(CONTRASTS) == []
    tab.put("[name=tenure]", "two")
    tab.click("#send")
    assert tab.run(CONTRASTS) == [] or tab.run("document.querySelector('.stale') !== null")
    ground = tab.run("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(15, 22, 28)") is dark


def test_everything_has_a_name_for_those_who_listen(open_page: Open) -> None:
    tab, _ = open_page()
    full(tab)
    nodes = tab.command("Accessibility.getFullAXTree")["nodes"]
    roles = {"textbox", "combobox", "checkbox", "button", "link", "region", "form", "Date"}
    met = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles
    ]
    assert len(met) > 25
    assert [role for role, name in met if not name.strip()] == []
    assert ("checkbox", "Tenure: not known") in met
    assert ("region", "The answer") in met
    headings = tab.run(
        "[...document.querySelectorAll('h1, h2, h3')].filter((e) => e.checkVisibility()).map((e) => e.tagName)"
    )
    assert headings == ["H1", "H2", "H2", "H3", "H3"]


def test_on_paper_the_answer_stands_without_buttons(open_page: Open) -> None:
    tab, _ = open_page()
    send(tab)
    tab.paper()
    assert tab.run("[...document.querySelectorAll('button')].some((e) => e.checkVisibility())") is False
    assert tab.run("document.querySelector('.reasons').checkVisibility()") is True
