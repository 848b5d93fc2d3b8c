"""The report says the right thing in plain words, and stands alone."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.evaluate import evaluate
from noria.evaluation.promotion_gate import gate
from noria.evaluation.report.evaluation_report import evaluation_report
from noria.evaluation.report.narrative import whole_cases
from noria.models.candidate_score import CandidateScore
from noria.training.selection import select
from tests.bundles import Case, bike, changed, churn, contracts, make


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


def score(kind: str, mean: float, use_case: UseCase) -> CandidateScore:
    return CandidateScore(
        kind=kind, params={"max_depth": 4} if kind == "tree" else {}, metric=use_case.evaluation.metric, mean=mean,
        standard_error=0.004, fold_scores=[mean] * 5, worth=1000 * mean, latency_ms=1.5, size_mb=0.2, fit_seconds=0.3,
    )  # fmt: skip


def report(case: Case, challenger: Bundle, rules: Bundle, champion: Bundle | None = None) -> str:
    use_case = case.use_case
    scores = [score(kind, mean, use_case) for kind, mean in (("xgboost", 0.85), ("tree", 0.83), ("rules", 0.7))]
    evaluation = evaluate(challenger, case.test, use_case, rules=rules)
    verdict = gate(use_case, case.test, challenger, rules, champion)
    return evaluation_report(evaluation, verdict, select(scores, use_case), scores, use_case)


class Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.skipped = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.skipped = tag == "style"

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.words.append(data)


def text(html: str) -> str:
    parser = Text()
    parser.feed(html)
    return re.sub(r"\s+", " ", " ".join(parser.words))


def test_a_model_that_pays_is_told_in_money_and_whole_customers(folder: Path) -> None:
    model, rules = make(churn(), "xgboost", folder / "model"), make(churn(), "rules", folder / "rules")
    read = text(report(churn(), model, rules))
    assert re.search(r"Machine learning pays here: [\d,]+ EUR more per 1,000 customers", read)
    leavers = round(1000 * (churn().test["churn"] == "Yes").mean())
    assert f"Of 1,000 customers, {leavers} turn out “Yes”" in read
    found = re.search(
        rf"The model Points at (\d+): rightly at (\d+), in vain at (\d+)\. .*? Misses (\d+) of the {leavers}", read
    )
    assert found
    pointed, rightly, in_vain, _ = map(int, found.groups())
    assert pointed == rightly + in_vain


def test_whose_figures_they_are_and_what_is_served_has_learned(folder: Path) -> None:
    case = churn()
    model, rules = make(case, "xgboost", folder / "whose"), make(case, "rules", folder / "whose_rules")
    fit, tried = f"{len(case.train):,} training rows", f"{len(case.test):,} customers"
    read = text(report(case, model, rules))
    assert f"All figures are of a fit on {fit}, tried on {tried}" in read
    assert f"on all {len(case.train) + len(case.test):,} rows, these included" in read
    as_judged = Case(changed(case.use_case, models={"refit": "training"}), case.train, case.test)
    assert "into service as tried, without the test rows" in text(report(as_judged, model, rules))
    again = text(report(case, model, rules, model))
    assert "Nothing of it goes into service" in again
    assert "was judged as it is" in again
    parts = [
        "What 1,000 decisions bring in",
        "What happens to 1,000",
        "An average can hide",
        "The answers that were most wrong",
        "The candidates were compared",
        "bootstrap interval",
    ]
    assert [read.index(part) for part in parts] == sorted(read.index(part) for part in parts)
    assert "worse than xgboost by" in read


def test_rules_that_win_are_told_plainly(folder: Path) -> None:
    case = churn()._replace(use_case=changed(churn().use_case, evaluation={"margin": 0.3}))
    model, rules = make(churn(), "tree", folder / "tree"), make(churn(), "rules", folder / "rules")
    read = text(report(case, model, rules))
    assert "Machine learning is not needed here" in read
    assert "Your rules go into service" in read


def test_rules_judged_by_themselves_stand_there_once(folder: Path) -> None:
    rules = make(churn(), "rules", folder / "rules")
    read = text(report(churn(), rules, rules))
    assert "Machine learning is not needed here" in read
    assert "The model Points at" not in read
    assert read.count("Your rules Points at") == 1


def test_what_stays_in_service_is_said(folder: Path) -> None:
    model, rules = make(churn(), "tree", folder / "tree", version="4"), make(churn(), "rules", folder / "rules")
    read = text(report(churn(), model, rules, champion=model))
    assert "What is in service stays" in read
    assert "Version 4, in service so far, stays" in read


def test_costs_are_told_as_costs(folder: Path) -> None:
    model, rules = make(bike(), "xgboost", folder / "bikes"), make(bike(), "rules", folder / "bike_rules")
    read = text(report(bike(), model, rules))
    assert re.search(r"it saves [\d,]+ EUR per 1,000 hours against your rules", read)
    assert "What 1,000 decisions cost" in read
    assert "far more are too low" in read
    assert "whole days are drawn" in read


def test_classes_have_their_own_table(folder: Path) -> None:
    model, rules = make(contracts(), "tree", folder / "contract"), make(contracts(), "rules", folder / "contract_rules")
    read = text(report(contracts(), model, rules))
    assert "true class against answer" in read
    assert re.search(r"get the right answer, \d+ a wrong one", read)


def test_the_page_stands_alone_and_draws_each_of_the_thousand(folder: Path) -> None:
    model, rules = make(churn(), "xgboost", folder / "model"), make(churn(), "rules", folder / "rules")
    html = report(churn(), model, rules)
    assert not re.search(r'(?:src|href)="(?!#)|@import|url\((?!#)', html)
    assert len(html) < 1_000_000
    for picture in re.findall(r"<svg viewBox.*?</svg>", html, flags=re.DOTALL):
        assert sum(path.count("M") for path in re.findall(r' d="([^"]*)"', picture)) == 1000


def test_data_cannot_write_html(folder: Path) -> None:
    case = churn()
    test = case.test.copy()
    test["contract"] = "<script>alert(1)</script>"
    model, rules = make(case, "xgboost", folder / "model"), make(case, "rules", folder / "rules")
    html = report(case._replace(test=test), model, rules)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_whole_cases_add_up(folder: Path) -> None:
    rules = make(churn(), "rules", folder / "rules")
    for rows in (7, 101, 1761):
        found = evaluate(rules, churn().test.head(rows), churn().use_case, rules=rules)
        counted = [whole_cases(approach) for approach in found.approaches]
        assert {sum(counts.values()) for counts in counted} == {1000}
        there = {sum(n for name, n in counts.items() if name.endswith("_positive")) for counts in counted}
        assert len(there) == 1
