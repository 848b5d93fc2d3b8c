"""The pictures of the evaluation report."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from noria.evaluation.results import CalibrationBin, SliceResult
from noria.reporting.plots import ACCENT, BAD, GOOD, INK, LINE, SECOND, SOFT, drawing, svg

_PEOPLE = frozenset(
    {"customer", "person", "patient", "user", "employee", "applicant", "student", "client", "member", "passenger",
     "guest", "citizen", "visitor", "donor", "borrower", "driver", "candidate", "subscriber", "policyholder", "tenant"}
)  # fmt: skip
_PALE = "#d3dae0"
_ASKED = "#7d6bc4"
_PER_LINE, _STEP_X, _STEP_Y = 40, 9.2, 12.5
_PERSON = "m3.6 0a1.9 1.9 0 1 1-.01 0zm-3 9.9v-3.2q0-2.2 3-2.2t3 2.2v3.2z"
_SQUARE = "m.4 1h6.6v8.2h-6.6z"
GROUPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "right_act": (GOOD, "pointed at, rightly", ("act_positive",)),
    "vain": (SECOND, "pointed at in vain", ("act_negative",)),
    "right": (GOOD, "right", ("right",)),
    "asked": (_ASKED, "handed to a person", ("ask_positive", "ask_negative", "ask")),
    "missed": (BAD, "missed", ("leave_positive",)),
    "right_leave": (_PALE, "rightly left alone", ("leave_negative",)),
    "wrong": (BAD, "wrong", ("wrong",)),
    "near": (GOOD, "near the truth", ("near",)),
    "too_high": (SECOND, "too high", ("too_high",)),
    "too_low": (BAD, "too low", ("too_low",)),
}


def icon_array(counts: dict[str, int], case: str, title: str) -> Markup:
    """1,000 little people, or squares where a case is no person, coloured by what happens to them."""
    shape = _PERSON if case.lower() in _PEOPLE else _SQUARE
    paths, place = [], 0
    for colour, name, many in icon_legend(counts):
        marks = "".join(f"M{_x(n)} {_y(n)}{shape}" for n in range(place, place + many))
        paths.append(f'<path fill="{colour}" d="{marks}"><title>{escape(f"{many} {name}")}</title></path>')
        place += many
    said = ", ".join(f"{many} {name}" for _, name, many in icon_legend(counts))
    size = f"{_PER_LINE * _STEP_X:.0f} {-(-place // _PER_LINE) * _STEP_Y:.0f}"
    label = escape(f"{title}: of 1,000, {said}")
    return Markup(f'<svg viewBox="0 0 {size}" role="img" aria-label="{label}" width="100%">{"".join(paths)}</svg>')  # noqa: S704


def icon_legend(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """(colour, name, how many) of what happens, in the order of the picture; what happens to none stays out."""
    found = [(colour, name, sum(counts.get(key, 0) for key in keys)) for colour, name, keys in GROUPS.values()]
    return [entry for entry in found if entry[2]]


def slices_plot(parts: Sequence[SliceResult], metric: str, *, rules: bool) -> Markup:
    """Each slice's metric with its interval, and that of the rules on the same rows."""
    known = [part for part in parts if part.metric is not None]
    with drawing(8.6, 0.7 + 0.27 * len(known)) as figure:
        axes = figure.subplots()
        axes.grid(axis="x")
        axes.grid(visible=False, axis="y")
        for place, part in enumerate(known):
            assert part.metric is not None  # noqa: S101 - those without were left out
            axes.plot([part.metric.low, part.metric.high], [place, place], color=ACCENT, linewidth=2.2, alpha=0.45)
            axes.plot(part.metric.value, place, "o", color=ACCENT, markersize=5.5)
            if rules and part.rules_metric is not None:
                axes.plot(part.rules_metric, place, "o", markeredgecolor=SECOND, markerfacecolor="none", markersize=6)
        axes.set_yticks(range(len(known)), [f"{part.column}: {part.value}" for part in known], color=INK)
        axes.invert_yaxis()
        axes.set_xlabel(metric)
        return svg(figure, f"{metric} in each slice with its interval")


def calibration_plot(bins: Sequence[CalibrationBin], *, shares: bool) -> Markup:
    """What was predicted against what happened, a dot for each tenth of the rows."""
    with drawing(4.2, 3.4) as figure:
        axes = figure.subplots()
        scale = 100 if shares else 1
        predicted, observed = (
            [scale * value for value in line] for line in zip(*((b.predicted, b.observed) for b in bins), strict=True)
        )
        ends = [min(*predicted, *observed), max(*predicted, *observed)]
        axes.grid(axis="both", color=LINE)
        axes.plot(ends, ends, color=SOFT, linewidth=1, linestyle=(0, (3, 3)))
        axes.plot(predicted, observed, "o-", color=ACCENT, markersize=5, linewidth=1.2)
        unit = " (%)" if shares else ""
        axes.set_xlabel(f"predicted{unit}")
        axes.set_ylabel(f"what happened{unit}")
        return svg(figure, "Predicted against what happened, for each tenth of the test rows")


def _x(place: int) -> str:
    return f"{place % _PER_LINE * _STEP_X + 1:.4g}"


def _y(place: int) -> str:
    return f"{place // _PER_LINE * _STEP_Y + 1:.4g}"
