"""What each world has gained over never, period by period."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from benchmarks.retrained.stream import Stream
from benchmarks.retrained.worlds import HINDSIGHT, NORIA_FEW, World

_COLOURS = {
    NORIA_FEW: "#0b6e4f",
    "calendar, each 1": "#8d99ae",
    "calendar, each 8": "#c9b458",
    HINDSIGHT: "#444444",
}


def draw(title: str, stream: Stream, shown: list[World], price: float, path: Path) -> None:
    """Lines of the gain over never less the price of the retrainings so far; a dot where a model was retrained."""
    figure, axis = plt.subplots(figsize=(10, 4.6), layout="constrained")
    periods = np.arange(stream.periods)
    for world in shown:
        if world.name not in _COLOURS:
            continue
        serving = np.zeros(stream.periods, dtype=int)
        for moment in world.moments:
            serving[moment:] = moment
        gained = stream.worth[serving, periods] - stream.worth[0, periods]
        gained[list(world.moments)] -= price
        line, colour = np.cumsum(gained), _COLOURS[world.name]
        style = "--" if world.is_hindsight else "-"
        axis.plot(
            periods + 1, line, style, color=colour, lw=1.8, label=f"{world.name}: {len(world.moments)} retrainings"
        )
        if len(world.moments) <= stream.periods // 4:
            dots = np.array(world.moments, dtype=int)
            axis.plot(dots + 1, line[dots], "o", color=colour, ms=5)
    axis.axhline(0, color="#bbbbbb", lw=0.8)
    axis.set_title(f"{title}: gain over never retraining, less {price:,.0f} per retraining", loc="left", fontsize=11)
    axis.set_xlabel("week", loc="right", fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
