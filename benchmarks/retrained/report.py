"""The result as Markdown."""

from typing import Any

from benchmarks.machine import circumstances
from benchmarks.retrained.window_rules import OURS
from benchmarks.retrained.worlds import HINDSIGHT, MOST, NEVER, NORIA, NORIA_FEW

_SHARE_GOAL, _RATIO_GOAL = 0.93, 1.10
_ABOUT = (
    "`python benchmarks/retraining.py`: models of 100 trees of depth 5 (XGBoost), one per period, learned on all "
    "labels known at its start. Each way to retrain is a path through these models, on the same cases. Share: of what "
    "retraining each period gains over never. Calibration: expected calibration error in ten bins; for numbers the "
    "mean of prediction less truth. Total: worth less price × retrainings. Trials: models that Noria's policy fitted "
    "to learn what a retraining would bring; they are never in service, and cost machine time only. Hindsight is a "
    "bound, as it knows the future. ADWIN is written out in the benchmark, with the default of river (δ = 0.002); "
    "drifted columns follow Evidently's defaults (Wasserstein distance of 0.1 standard deviations, half of them)."
)
_TRIED = (
    "Tried and not better on the whole: a retraining only where the lower end of the gain's interval is above 0; "
    "trials on periods before the start; a shorter memory of what was seen of the champion; other mixtures of reasons "
    "for aging; a factor for hard weeks. The constants were chosen on these streams together, not on one of them."
)


_FALSE_CHOICES = (
    "How often each rule chooses another window where none is better (400 simulated streams of 12 periods with six "
    "windows that are alike): "
)


def report(document: dict[str, Any]) -> str:
    """All of it: the worlds of each table, the goals, the recipes, and other streams."""
    kept = ", with models kept from an earlier run" if document["are_models_kept"] else ""
    lines = [
        "# When does retraining pay?",
        "",
        f"{circumstances(document)} · {document['seconds']:.0f} s{kept}",
        "",
        _ABOUT,
        "",
    ]
    for name, table in document["tables"].items():
        lines += _table(name, table)
    return "\n".join([*lines, _false_choices(document), "", *_robust(document["robust"])]) + "\n"


def _table(name: str, table: dict[str, Any]) -> list[str]:
    quality = "ROC AUC" if table["binary"] else "MAE"
    lines = [
        f"## {name}",
        f"{table['cases']:,} cases in {table['periods']} periods (each a {table['period']}); a stated price of "
        f"{table['price']:,.0f} {table['unit']} per retraining.",
        "",
        f"| world | retrainings | share | worth per 1,000 | {quality} | calibration | labels used | trials | total |",
        f"| --- |{' ---: |' * 8}",
    ]
    for world in table["worlds"]:
        lines.append(
            f"| {world['name']} | {len(world['moments'])} | {world['share']:.3f} | "
            f"{1000 * world['worth'] / table['cases']:,.1f} | {world['quality']:.4g} | {world['calibration']:.4f} | "
            f"{world['labels']:,} | {world['trials'] or ''} | {world['total']:,.0f} |"
        )
    lines += ["", *_goals(table), "", *_windows(table), ""]
    if name == "flight_delays":
        lines += ["![Gain over never, week by week](retraining.png)", ""]
    return lines


def _goals(table: dict[str, Any]) -> list[str]:
    by_name = {world["name"]: world for world in table["worlds"]}
    few, priced, best, never = (by_name[name] for name in (NORIA_FEW, NORIA, HINDSIGHT, NEVER))
    rivals = [
        world
        for world in table["worlds"]
        if world["name"].startswith(("calendar", "alarm")) and not world["is_hindsight"]
    ]
    rival = max(rivals, key=lambda world: float(world["total"]))
    ratio = best["total"] / priced["total"] if priced["total"] > 0 else priced["total"] / best["total"]
    goals = [
        (
            f"at most {MOST} retrainings and {_SHARE_GOAL} of the gain: {len(few['moments'])}, {few['share']:.3f}",
            len(few["moments"]) <= MOST and few["share"] >= _SHARE_GOAL,
        ),
        (f"total within {_RATIO_GOAL:.2f} of hindsight by price: {ratio:.3f}", ratio <= _RATIO_GOAL),
        (
            f"the same of the gain over never alone: {_of_gain(best['total'], priced['total'], never['total'])}",
            best["total"] - never["total"] <= _RATIO_GOAL * (priced["total"] - never["total"]),
        ),
        (
            f"a higher total than every calendar and alarm: {priced['total']:,.0f}, the best of them ({rival['name']}) "
            f"{rival['total']:,.0f}",
            priced["total"] > rival["total"],
        ),
        (
            f"not below never: {priced['total']:,.0f}, never {never['total']:,.0f}",
            priced["total"] >= never["total"],
        ),
    ]
    moments = ", ".join(str(each) for each in few["moments"]) or "none"
    return [
        *(f"- {'**met**' if met else '**missed**'}: {text}" for text, met in goals),
        f"- moments of `{NORIA_FEW}`, in periods after the start: {moments}",
    ]


def _of_gain(best: float, ours: float, never: float) -> str:
    return f"{(best - never) / (ours - never):.3f}" if ours > never else "Noria gains nothing over never"


def _windows(table: dict[str, Any]) -> list[str]:
    worth, rules = table["windows"]["worth"], table["windows"]["rules"]
    growing, best = next(iter(worth.values())), max(worth, key=lambda name: float(worth[name]))
    lines = [
        "Which rows to learn from, retrained each period:",
        "",
        "| window | worth per 1,000 | more than all rows |",
    ]
    lines += ["| --- | ---: | ---: |"]
    lines += [f"| {name} | {one:,.1f} | {one - growing:+,.1f} |" for name, one in worth.items()]
    for name, rule in rules.items():
        shown = f"**{name}**" if name == OURS else name
        lines.append(f"| {shown} | {rule['worth']:,.1f} | {rule['worth'] - growing:+,.1f} |")
    ours = rules[OURS]
    gain, most = ours["worth"] - growing, worth[best] - growing
    used = ", ".join(f"{name} in {periods}" for name, periods in ours["periods"].items())
    pays = "pays" if gain > 0 else "does not pay"
    if len(ours["periods"]) == 1:
        pays = "changes nothing"
    of_best = f", {gain / most:.2f} of what the best fixed window gains" if most > 0 else ""
    return [
        *lines,
        "",
        f"The choice by the rule of `data.window: auto` **{pays}**: {gain:+,.1f} per 1,000{of_best}. It took {used} "
        f"periods, and changed {ours['changes']} times. The best fixed window, {best}, is known in hindsight only.",
    ]


def _false_choices(document: dict[str, Any]) -> str:
    return _FALSE_CHOICES + "; ".join(f"{name} {rate:.0%}" for name, rate in document["false_choices"].items()) + "."


def _robust(found: dict[str, Any]) -> list[str]:
    lines = [
        "## Other streams",
        f"The same policy, untouched. Gains over never, less price × retrainings; flights with at most {MOST} "
        "retrainings, in hindsight too. Best calendar: the best of five calendars and never on this stream, chosen in "
        "hindsight. Synthetic: least squares on streams of known drift, 44 periods, the mean of three seeds.",
        "",
        "| stream | retrainings | share | Noria | best calendar | hindsight |",
        f"| --- |{' ---: |' * 5}",
    ]
    for name, one in found.items():
        lines.append(
            f"| {name} | {one['retrainings']:.3g} | {one['share']:.3f} | {one['noria']:,.0f} | "
            f"{one['calendar']:,.0f} | {one['hindsight']:,.0f} |"
        )
    ahead = sum(one["noria"] >= one["calendar"] - 1e-9 for one in found.values())
    reached = sum(one["share"] >= _SHARE_GOAL for name, one in found.items() if name.startswith("flight"))
    flights = sum(name.startswith("flight") for name in found)
    return [
        *lines,
        "",
        f"Noria is at least as good as the best calendar on {ahead} of {len(found)} streams. It reaches {_SHARE_GOAL} "
        f"of the gain with at most {MOST} retrainings on {reached} of {flights} streams of flights.",
        "",
        _TRIED,
    ]
