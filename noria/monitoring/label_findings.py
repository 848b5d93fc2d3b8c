"""What a verdict says where labels are known for some cases only."""

from noria.config import UseCase
from noria.monitoring.causes import Level
from noria.monitoring.drift_summary import number
from noria.monitoring.results import DecisionCoverage, DecisionFigure, DecisionQuality, LabelCoverage, PerformanceResult
from noria.reporting import count, plural
from noria.system.shell_commands import run_py

ASK_AT_RANDOM = run_py("label --random 1")
_DONE = {"act": "acted on", "ask": "left to a person", "leave": "left alone"}
_NAMES = {
    "precision": "precision",
    "negative_predictive_value": "share rightly left alone",
    "accuracy": "accuracy",
    "mae": "mae",
}


def unjudged(use_case: UseCase, performance: PerformanceResult) -> str:
    """Why unequal labels allow no figure for all cases; empty: they do, or they count alike, or are too few anyway."""
    coverage, fewest = performance.coverage, use_case.monitoring.min_labels
    if coverage is None:
        return ""
    if not coverage.is_whole:
        return unknown_quality(use_case, coverage)
    if not performance.labels >= fewest > coverage.effective:
        return ""
    return (
        f"{plural(performance.labels, 'label')} known, which stand for unequal numbers of cases and say as much as "
        f"{number(coverage.effective)} drawn at random; {fewest} needed."
    )


def unknown_quality(use_case: UseCase, coverage: LabelCoverage) -> str:
    """That no figure for all cases can be given, and why; empty: it can."""
    if coverage.is_whole:
        return ""
    parts = [_known_of(use_case, each) for each in coverage.decisions]
    return f"How right the model is on all cases cannot be known: labels are known for {'; '.join(parts)}."


def coverage_sentences(use_case: UseCase, coverage: LabelCoverage | None) -> list[str]:
    """How the labels are weighed, and what that takes on trust."""
    if coverage is None or not coverage.is_whole:
        return []
    parts = [_known_of(use_case, each) for each in coverage.decisions]
    said = [
        f"Labels are known for {'; '.join(parts)}. Each is weighed by how many cases of its decision and score it "
        f"stands for; together they say as much as {count(round(coverage.effective))} labels drawn at random."
    ]
    trusted = [each for each in coverage.decisions if _rests_on_trust(each)]
    if trusted:
        named = " and ".join(_DONE[each.decision] for each in trusted)
        said.append(
            f"For cases {named} this takes labels to come regardless of the outcome. To check, ask for some at random: "
            f"`{ASK_AT_RANDOM}`."
        )
    return said


def decision_findings(
    use_case: UseCase, decisions: list[DecisionQuality]
) -> list[tuple[str, Level, str, DecisionFigure]]:
    """(kind of cause, level, sentence, figure) of each figure of one decision."""
    found: list[tuple[str, Level, str, DecisionFigure]] = []
    for each in decisions:
        for figure in each.figures:
            is_worth = figure.name == "worth"
            level: Level = "watch" if _fell_too_far(use_case, figure) else "ok"
            found.append(("worth" if is_worth else "quality", level, _sentence(use_case, each, figure), figure))
    return found


def _known_of(use_case: UseCase, coverage: DecisionCoverage) -> str:
    known = coverage.labelled + coverage.drawn + coverage.selected
    of_them = f"{count(known) if known else 'none'} of {plural(coverage.cases, use_case.problem.case)}"
    drawn = f", {count(coverage.drawn)} of them drawn at random" if coverage.drawn else ""
    return f"{of_them} {_DONE[coverage.decision]}{drawn}"


def _rests_on_trust(coverage: DecisionCoverage) -> bool:
    """Whether labels that came by themselves stand for a good part of the cases that have none."""
    unknown = coverage.cases - coverage.labelled - coverage.drawn - coverage.selected
    by_draws = coverage.drawn and not coverage.comes
    return not by_draws and unknown > 0.1 * coverage.cases


def _fell_too_far(use_case: UseCase, figure: DecisionFigure) -> bool:
    if figure.before is None or not figure.beyond_chance:
        return False
    limits = use_case.monitoring
    allowed = limits.worth_drop * abs(figure.before) if figure.name == "worth" else limits.metric_drop
    return figure.worse_by > allowed


def _sentence(use_case: UseCase, decision: DecisionQuality, figure: DecisionFigure) -> str:
    problem = use_case.problem
    done = f"{plural(decision.labels, f'labelled {problem.case}')} {_DONE[decision.decision]}"
    before = "" if figure.before is None else f", {number(figure.before)} on the training rows of the same decision"
    reach = f"{number(figure.now)} ({number(figure.low)} to {number(figure.high)})"
    worse = ": worse, and more than chance explains" if _fell_too_far(use_case, figure) else ""
    if figure.name == "worth":
        return f"On {done}, 1,000 decisions bring in {reach} {problem.unit}{before}{worse}."
    return f"On {done}, {_NAMES[figure.name]} is {reach}{before}{worse}."
