"""The result as Markdown."""

from typing import Any

from benchmarks.machine import circumstances

_GOAL = 0.5
_TRIED = (
    "Tried on churn and flights, and no better: the most uncertain answers alone (with boosting on churn, more labels "
    "are needed so than at random), the variance of randomised trees, rows drawn in proportion to a power of their "
    "worth, numbers in bins, squared numbers, an embedding by random trees, other weights of the prior and of the "
    "closeness to the threshold."
)
_CHOSEN = "The settings of the method were chosen on these tables, so on another table it may save less."


def report(document: dict[str, Any]) -> str:
    """What was measured, beside the goal."""
    lines = [
        "# How many labels a good model needs",
        "",
        circumstances(document),
        "",
        "The labels of the pool are hidden. Each way asks for ten, fits, asks for 30 % more, and so on; Noria draws a "
        "tenth of them at random. Needed are the labels at which the mean curve over the seeds, smoothed so that it "
        "never falls, reaches `.5 + .95 × (AUC with all labels − .5)` on test rows that are never asked for. The goal "
        "is half of what random choice needs.",
        "",
        "![ROC AUC over the number of labels](labels.png)",
        "",
        "| table | model | pool | AUC, all labels | to reach | random needs | Noria needs | share | seeds | seconds |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    tables = document["tables"]
    lines += [_row(name, found) for name, found in tables.items()]
    lines += ["", *[_verdict(name, found) for name, found in tables.items()], "", _TRIED, "", _CHOSEN]
    return "\n".join(lines) + "\n"


def _row(name: str, found: dict[str, Any]) -> str:
    random, ours = found["needed"]["random"], found["needed"]["Noria"]
    share = _share(found)
    cells = [
        *(name, found["model"], f"{found['pool']:,}", f"{found['full']:.4f}", f"{found['goal']:.4f}"),
        *(_labels(random, found), _labels(ours, found), "" if share is None else f"{share:.2f}"),
        *(str(len(found["areas"]["random"])), str(found["seconds"])),
    ]
    return f"| {' | '.join(cells)} |"


def _labels(needed: float | None, found: dict[str, Any]) -> str:
    return f"more than {found['counts'][-1]:,}" if needed is None else f"{needed:,.0f}"


def _share(found: dict[str, Any]) -> float | None:
    """Of the labels that random choice needs; an upper bound where it needs more than were asked for."""
    random, ours = found["needed"]["random"], found["needed"]["Noria"]
    return None if ours is None else float(ours / (random or found["counts"][-1]))


def _verdict(name: str, found: dict[str, Any]) -> str:
    share = _share(found)
    if share is None:
        return f"- {name}: **missed**, the level is not reached."
    if share <= _GOAL:
        return f"- {name}: met, {share:.2f} of the labels."
    return f"- {name}: **missed**, {share:.2f} of the labels where .50 was the goal."
