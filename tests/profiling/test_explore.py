"""The facts and sentences of the exploration, and the page that shows them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.config import UseCase, load_use_case
from noria.data.sources import read
from noria.data.validation import validate
from noria.profiling.report import TableProfile, exploration_report, profile_table
from tests.data.cases import table, use_case

NONE = pd.DataFrame({"reason": []})


def bundled(name: str) -> tuple[TableProfile, pd.DataFrame, UseCase]:
    known = load_use_case(Path(f"configs/{name}.yaml"))
    valid = validate(read(known.data), known)
    return profile_table(valid.frame, known, valid.quarantined), valid.frame, known


@pytest.fixture(scope="module")
def churn() -> tuple[TableProfile, pd.DataFrame, UseCase]:
    return bundled("telco_churn")


@pytest.fixture(scope="module")
def bikes() -> tuple[TableProfile, pd.DataFrame, UseCase]:
    return bundled("bike_demand")


def sentences(facts: TableProfile) -> str:
    return "\n".join(finding.text for finding in facts.findings).replace("\u00a0", " ")


def test_the_churn_findings_are_what_a_person_would_say(churn: tuple[TableProfile, pd.DataFrame, UseCase]) -> None:
    said = sentences(churn[0])
    assert "26.5 % of the 7,043 customers have churn = Yes." in said
    assert "11 of 7,043 customers (0.2 %) have no total_charges." in said
    assert "contract tells a lot about churn" in said
    assert "Month-to-month, 42.7 % have churn = Yes" in said
    assert "tell almost nothing about churn: multiple_lines, phone_service, female" in said


def test_facts_agree_with_the_table(churn: tuple[TableProfile, pd.DataFrame, UseCase]) -> None:
    facts, frame, _ = churn
    for column in facts.columns:
        assert column.missing == frame[column.name].isna().sum()
        assert column.distinct == frame[column.name].nunique()
        if column.levels:
            assert sum(level.rows for level in column.levels) == len(frame)
    contract = {level.label: level for level in facts.column("contract").levels}
    by_hand = frame.groupby("contract")["churn"].apply(lambda values: (values == "Yes").mean())
    for label, level in contract.items():
        assert level.answer == [pytest.approx(by_hand[label])]
        assert level.low is not None
        assert level.high is not None
        assert level.low < level.answer[0] < level.high
    assert facts.duplicates == frame.duplicated().sum()


def test_bike_findings_know_roles_dates_and_twins(bikes: tuple[TableProfile, pd.DataFrame, UseCase]) -> None:
    facts, _, _ = bikes
    said = sentences(facts)
    assert "temp and atemp say nearly the same" in said
    assert "hr tells a lot about cnt" in said
    assert facts.column("casual").role == "known too late"
    assert "casual" not in said
    day = facts.column("dteday")
    assert (day.kind, day.role) == ("datetime", "time")
    assert day.levels[0].label.startswith("2011-01-01 to ")


class _Page(HTMLParser):
    """Checks that tags close, and collects anchors and what is loaded."""

    VOID = {"meta", "br", "img", "link", "input", "hr"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if known.get("id"):
            self.ids.append(str(known["id"]))
        self.links += [str(known[key]) for key in ("href", "src") if known.get(key)]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    assert page.open == []
    return page


def test_the_page_is_whole_small_and_loads_nothing(churn: tuple[TableProfile, pd.DataFrame, UseCase]) -> None:
    html = exploration_report(*churn)
    page = parsed(html)
    assert len(html) < 3_000_000
    assert html.count("<svg") == 21
    assert page.links
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert all(link.startswith("#") for link in page.links)
    assert "url(" not in re.sub(r"url\(#\w+\)", "", html)
    assert "Which customers will leave us" in html


def test_names_and_values_from_the_table_cannot_become_markup() -> None:
    evil = "<script>alert(1)</script>"
    frame = table().rename(columns={"c": f"c{evil} $x$"})
    frame[f"c{evil} $x$"] = evil + frame[f"c{evil} $x$"]
    known = use_case()
    html = exploration_report(profile_table(frame, known, NONE), frame, known)
    parsed(html)
    assert "<script" not in html


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_odd_columns_are_shown_and_named(task: str) -> None:
    frame = table(400).assign(
        empty=np.nan,
        constant="same",
        nearly=["a", *["b"] * 3, *["a"] * 396],
        note=[f"note number {i}" for i in range(400)],
        flag=[True, False] * 200,
        when=pd.date_range("2024-01-01", periods=400, freq="h", tz="Europe/Berlin"),
        huge=lambda t: np.where(t["id"] == 3, 1e300, t["x"]),
        gaps=lambda t: t["x"].where(t["id"] % 2 == 0),
    )
    if task != "binary":
        frame["y"] = frame["c"] if task == "multiclass" else frame["x"] * 3
    known = use_case(task, data={"id": "id"})
    aside = pd.DataFrame({"reason": ["x is below 0: -5", "x is below 0: -7; c is missing"]})
    facts = profile_table(frame, known, aside)
    said = sentences(facts)
    assert "Dropped in training, because every value is missing: empty." in said
    assert "Dropped in training, because every value is the same: constant." in said
    assert "Nearly always the same value: nearly" in said
    assert "Dropped in training as free text or identifiers that hardly repeat: note." in said
    assert "200 of 400 cases (50.0 %) have no gaps." in said
    assert "2 rows break an expectation and were set aside: x is below 0 (2), c is missing (1)." in said
    assert len(facts.warnings) >= 5
    if task != "binary":
        assert (
            f"{'c' if task == 'multiclass' else 'x'} is suspected of leakage: alone predicts y almost perfectly" in said
        )
    parsed(exploration_report(facts, frame, known))


def test_noise_tells_nothing_however_many_values_it_has() -> None:
    draw = np.random.default_rng(1)
    frame = table(5000).assign(noise=draw.integers(0, 300, 5000).astype(str), other=draw.normal(size=5000))
    for task, y in (("binary", frame["y"]), ("regression", frame["x"])):
        facts = profile_table(frame.assign(y=y), use_case(task, features={"exclude": ["x"]}), NONE)
        assert facts.column("noise").strength == pytest.approx(0, abs=0.01)
        assert facts.column("other").strength == pytest.approx(0, abs=0.01)


def test_a_large_table_is_sampled_but_counted_whole() -> None:
    frame = pd.concat([table(1000)] * 150, ignore_index=True)
    frame.loc[0, "x"] = np.nan
    facts = profile_table(frame, use_case(data={"id": "id"}), NONE)
    assert (facts.rows, facts.sampled) == (150_000, 100_000)
    assert facts.column("x").missing == 1
    assert sum(level.rows for level in facts.column("c").levels) == 100_000


def test_a_table_with_its_target_alone_still_gives_a_page() -> None:
    frame = table()[["y"]]
    parsed(exploration_report(profile_table(frame, use_case(), NONE), frame, use_case()))
