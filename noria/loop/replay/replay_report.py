"""The page of a replay: one picture and one table of the ways to retrain."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from markupsafe import Markup

from noria.config import UseCase
from noria.loop.replay.schedule import utc_stamps
from noria.loop.replay.worlds import World
from noria.reporting import count, number, percent, render
from noria.reporting.plots import ACCENT, SECOND, SOFT, drawing, svg

HEAD = ["", "Worth", "After retrainings", "Share of the gain", "Metric", "Calibration", "Retrainings", "Labels"]
_NUMERIC = tuple(range(1, len(HEAD)))


def replay_report(worlds: Sequence[World], starts: Sequence[datetime], use_case: UseCase, decisions: int) -> str:
    """The page of a replay.

    Args:
        worlds: all ways to retrain, "never" first; "Noria" is what the service did.
        starts: (p,) when each period began.
        use_case: the question, the unit and the price.
        decisions: cases that were asked about.

    Returns:
        Self-contained HTML.
    """
    ours = next(world for world in worlds if world.name == "Noria")
    return render(
        "loop/replay/replay_report.html",
        contents=[("picture", "Week by week"), ("table", "All ways to retrain")],
        use_case=use_case,
        sentence=headline(worlds),
        decisions=count(decisions),
        since=starts[0],
        picture=_picture(worlds, starts, use_case),
        head=[*HEAD[:4], use_case.evaluation.metric, *HEAD[5:]],
        rows=[[world.name.replace(" ", "\u00a0"), *world_row(world)[1:]] for world in worlds],
        numeric=_NUMERIC,
        price=number(use_case.loop.price),
        moments=[f"{starts[moment]:%d %B %Y}" for moment in ours.moments],
    )


def headline(worlds: Sequence[World]) -> str:
    """What the loop came to, in a sentence."""
    never, ours = worlds[0], next(world for world in worlds if world.name == "Noria")
    often = f"{ours.retrainings} retraining{'' if ours.retrainings == 1 else 's'}"
    if not np.isfinite(ours.share):
        more = ours.worth - never.worth
        compared = f"{number(abs(more))} {'more' if more >= 0 else 'less'} than never retraining"
        return f"With {often}, Noria brought in {compared}. New models at every period would not have paid."
    gain = f"{percent(ours.share, 0)} of what retraining at every period gains"
    return f"With {often}, Noria reached {gain} over never."


def world_row(world: World) -> list[str]:
    """The figures of one way to retrain, in the order of `HEAD`."""
    return [
        world.name,
        count(world.worth),
        count(world.total),
        number(world.share, 2),
        number(world.metric),
        number(world.calibration, 3),
        str(world.retrainings),
        count(world.labels),
    ]


def _picture(worlds: Sequence[World], starts: Sequence[datetime], use_case: UseCase) -> Markup:
    """What each way has brought in more than never, added up."""
    never, weeks = worlds[0], utc_stamps(starts)
    with drawing(9, 3.4) as figure:
        axes = figure.subplots()
        for world in worlds[1:]:
            ahead = np.cumsum(world.by_period - never.by_period)
            is_ours = world.name == "Noria"
            is_named = is_ours or world.name in ("calendar, each period", "hindsight, by price")
            colour = ACCENT if is_ours else SECOND if world.is_bound else SOFT
            axes.plot(
                weeks,
                ahead,
                color=colour,
                linewidth=2.2 if is_ours else 1.0,
                alpha=1.0 if is_named else 0.35,
                label=world.name if is_named else None,
                zorder=3 if is_ours else 2,
            )
            if is_ours:
                axes.plot(
                    weeks[list(world.moments)],
                    ahead[list(world.moments)],
                    "o",
                    color=ACCENT,
                    zorder=4,
                )
        axes.axhline(0, color=SOFT, linewidth=0.8)
        axes.set_title(f"Brought in more than without any retraining, in {use_case.problem.unit}, added up")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return svg(
            figure,
            "Lines of what each way to retrain has brought in more than never retraining; dots mark the moments at "
            "which the loop put a new model into service.",
        )
