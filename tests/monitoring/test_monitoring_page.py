"""The page of a check answers: is it fine, since when not, why, what was done, what next."""

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from noria.config import UseCase
from noria.loop import Journal, journal_file, loop_news
from noria.monitoring import LoopNews, MonitoringVerdict, NewsItem
from noria.monitoring.business import joined_worth
from noria.monitoring.causes import Cause
from noria.monitoring.monitoring_report import monitoring_report, write_newest_page
from noria.monitoring.plain_answers import plain_answers, since_when, worth_sentence
from noria.monitoring.results import DailyWorth, DayWorth, FigureByDay, FigureDay, PerformanceResult
from noria.system.command_hints import CommandHints
from noria.system.locks import exclusive
from noria.system.workspace import Workspace
from tests import bundles

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
QUESTIONS = ["Is it fine?", "Since when not?", "Why?", "What was done?", "What next?"]


def verdict(level: str = "ok", days_ago: int = 0, **keys: Any) -> MonitoringVerdict:
    at = NOW - timedelta(days=days_ago)
    performance = PerformanceResult(labels=500, unusable=0, waiting=0, overdue=0, metric=None, worth=None, target=None)
    given: dict[str, Any] = {
        "use_case": "telco_churn",
        "version": "7",
        "at": at,
        "since": at - timedelta(days=30),
        "verdict": level,
        "confident": True,
        "reasons": ["roc_auc is 0.7."],
        "next_action": "Train again.",
        "next_command": "python run.py cycle",
        "drift": None,
        "performance": performance,
    }
    return MonitoringVerdict(**(given | keys))


def worth(*models: float, rules: float | None = 5.0, share: float = 1.0) -> DailyWorth:
    days = [
        DayWorth(day=f"2026-05-{place:02}", rows=100, complete=True, model=model, rules=rules, nothing=-10.0)
        for place, model in enumerate(models, 1)
    ]
    return DailyWorth(unit="EUR", days=days, share=share)


def page(churn: UseCase, *history: MonitoringVerdict, news: LoopNews | None = None, folder: Path = Path()) -> str:
    return monitoring_report(
        history[-1], history, churn, CommandHints("c.yaml"), news=news or LoopNews(), folder=folder
    )


def answers_on(text: str) -> dict[str, str]:
    """Question → what a person reads below it."""
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", text, re.DOTALL)
    return {question: " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer)).split()) for question, answer in found}


def test_the_five_answers_stand_first_and_in_this_order(churn: UseCase) -> None:
    cause = Cause(kind="quality", severity="retrain", sentence="roc_auc is 0.7.", since=NOW - timedelta(days=30))
    done = NewsItem(at=NOW, text="An alert was raised", why="It is worse.", command="python run.py train", times=3)
    news = LoopNews(is_known=True, is_watching=True, done=[done], next_look="2026-05-10 13:00 UTC")
    text = page(
        churn, verdict("ok", 2), verdict("retrain", 1, causes=[cause]), verdict("retrain", causes=[cause]), news=news
    )
    said = answers_on(text)
    assert list(said) == QUESTIONS
    assert text.index("Is it fine?") < text.index('id="why"')
    assert said["Is it fine?"].startswith("No")
    assert "09 May 2026" in said["Since when not?"] and "08 May 2026" in said["Since when not?"]
    assert said["Why?"].startswith("The model is right less often than it promised.")
    assert "An alert was raised, 3 times in a row" in said["What was done?"]
    assert "python run.py train --config c.yaml" in said["What was done?"]
    assert "Train again. python run.py cycle --config c.yaml" in said["What next?"]
    assert "13:00" in said["What next?"]


def test_a_fine_model_is_fine_since_its_first_good_check(churn: UseCase) -> None:
    said = answers_on(page(churn, verdict("watch", 3), verdict("ok", 2), verdict("ok", 1), verdict("ok")))
    assert said["Is it fine?"] == "Yes."
    assert "08 May 2026" in said["Since when?"] and "3 checks in a row" in said["Since when?"]
    assert "python run.py watch --config c.yaml" in said["What next?"]


def test_too_early_is_not_called_fine(churn: UseCase) -> None:
    said = answers_on(page(churn, verdict("ok", confident=False)))
    assert "too early" in said["Is it fine?"]
    assert "fine since" not in said["Since when?"]


def test_since_when_knows_the_rows_and_what_came_before() -> None:
    rows = NOW - timedelta(hours=30)
    fault = Cause(kind="data_fault", severity="fix_data", sentence="Broken.", since=rows)
    assert f"{rows:%d %B %Y, %H:%M}" in since_when([verdict("fix_data", causes=[fault])])
    worse = fault.model_copy(update={"kind": "quality", "severity": "retrain"})  # of the newest batch: no onset
    assert f"{rows:%d %B %Y, %H:%M}" not in since_when([verdict("retrain", causes=[worse])])
    assert "first one" in since_when([verdict("watch")])
    assert "too early" in since_when([verdict("ok", 1, confident=False), verdict("watch")])
    gone = [verdict("watch", 3), verdict("ok", 2), verdict("watch", 1), verdict("retrain")]
    assert "09 May 2026" in since_when(gone), "an episode that ended does not count"


def test_worth_is_told_beside_the_rules_and_doing_nothing(churn: UseCase) -> None:
    assert "200 customers" in worth_sentence(worth(30, 40), churn)
    said = answers_on(page(churn, verdict(daily_worth=worth(30, 40))))["What is it worth?"]
    assert re.search(r"brought in 70 EUR.*by the rules.* 10 EUR.*doing nothing -20 EUR", said)
    assert "by the rules" not in worth_sentence(worth(30, 40, rules=None), churn)
    costs = worth_sentence(worth(-30, -40, rules=-50.0), churn)
    assert "cost 70 EUR" in costs and "100 EUR" in costs
    assert "sample" in worth_sentence(worth(30, share=0.5), churn)


def test_the_picture_and_the_figure_have_the_days_of_all_checks(churn: UseCase) -> None:
    figure = FigureByDay(name="Customers who leave", origin="labels", days=[FigureDay(day="2026-05-02", value=0.25)])
    older = verdict("ok", 1, daily_worth=worth(11, 22), figure=figure)
    newer = verdict("ok", daily_worth=worth(33), figure=figure.model_copy(update={"days": []}))
    text = page(churn, older, newer)
    table = text[text.index("The numbers") :]
    assert re.findall(r"<td>(2026-05-\d\d)</td>", table)[:2] == ["2026-05-02", "2026-05-01"]
    assert ">33<" in table and ">22<" in table and ">11<" not in table
    assert ">0.25<" in table
    assert text.count("<svg") == 3


def test_a_check_of_a_past_time_does_not_replace_what_a_later_one_knows() -> None:
    known, past = verdict(daily_worth=worth(33)), verdict(days_ago=3, daily_worth=worth(11))
    joined = joined_worth([known, past])
    assert joined is not None and joined.days[0].model == 33


def test_a_figure_without_values_says_why(churn: UseCase) -> None:
    figure = FigureByDay(name="Refunds", origin="", note="No file: `python run.py monitor --labels FILE`")
    text = html.unescape(page(churn, verdict(figure=figure)))
    assert "python run.py monitor --config c.yaml --labels FILE" in text


def test_text_on_the_page_is_escaped(churn: UseCase) -> None:
    bad = "<script>alert(1)</script>"
    figure = FigureByDay(name=bad, origin=bad, days=[FigureDay(day="2026-05-02", value=0.25)])
    news = LoopNews(done=[NewsItem(at=NOW, text=bad, why=bad, command=bad)], next_look=bad, under_way=bad)
    text = page(churn, verdict("watch", reasons=[bad], figure=figure, daily_worth=worth(1)), news=news)
    assert "<script" not in text


def test_the_newest_page_links_to_the_pages_of_its_check(churn: UseCase, workspace: Workspace) -> None:
    folder = workspace.monitoring / "2026-05-10_120000"
    checked = verdict(reports={"summary": str(folder / "monitoring.html"), "drift": str(folder / "drift.html")})
    assert write_newest_page(workspace, [], churn, CommandHints(), LoopNews()) is None
    file = write_newest_page(workspace, [checked], churn, CommandHints(), LoopNews())
    assert file == workspace.monitoring / "monitoring.html"
    assert 'href="2026-05-10_120000/drift.html"' in file.read_text()
    assert 'href="drift.html"' in page(churn, checked, folder=folder)


def test_numbers_are_further_off_not_less_often_right() -> None:
    cause = Cause(kind="quality", severity="retrain", sentence="mae is 3.")
    found = verdict("retrain", causes=[cause])
    reason = plain_answers(found, [found], bundles.bike().use_case, LoopNews()).why[0]
    assert "further off" in reason.plain and reason.detail == "mae is 3."


def test_numbers_have_a_picture_of_their_error(churn: UseCase) -> None:
    days = [DayWorth(day="2026-05-02", rows=3, complete=False, model=-9, nothing=-20, error=3.0, error_rules=4.0)]
    text = page(churn, verdict(daily_worth=DailyWorth(unit="EUR", days=days)))
    assert "mean error per day: 1 day, on 2026-05-02 the model 3, the rules 4" in text
    assert "2026-05-02 *" in text


def test_news_of_the_loop_are_short(workspace: Workspace) -> None:
    journal = Journal(journal_file(workspace), lambda: NOW)
    for _ in range(3):
        journal.append("look", outcome="watch", facts={"next": "tomorrow"})
        journal.append("decision", name="alert", outcome="do", why=["Something moved."], facts={"command": "x"})
        journal.append("decision", name="nothing", outcome="do", why=["All is well."])
    journal.append("decision", name="roll_back", outcome="propose", why=["It was better."])
    journal.append("action_begun", name="retrain", action="1")

    news = loop_news(workspace)

    assert [(each.text, each.times) for each in news.done] == [
        ("It was proposed to go back to the model before", 1),
        ("An alert was raised", 3),
    ]
    assert news.under_way and not news.is_watching
    assert news.next_look == "", "nobody watches, so nobody looks tomorrow"
    with exclusive("watch", workspace):
        assert loop_news(workspace).next_look == "tomorrow"


@pytest.mark.parametrize("level", ["watch", "retrain", "fix_data"])
def test_no_page_calls_a_fault_fine(churn: UseCase, level: str) -> None:
    assert not answers_on(page(churn, verdict(level)))["Is it fine?"].startswith("Yes")
