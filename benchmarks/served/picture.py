"""The comparison as a picture."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from benchmarks.served.found import MANY, ONE, Results, Scenario
from benchmarks.served.goals import rates
from benchmarks.served.servers import SERVERS

_COLOURS = {"noria": "#0b6e4f", "peer": "#8d99ae", "own predictor": "#8fc9b0", "empty": "#dfe3ea"}
_NOTES = {"peer": "the usual pipeline", "own predictor": "Noria's predictor", "empty": "no model: the framework alone"}


def draw(found: Results, path: Path) -> Path:
    """Bars of rows per second with 32 clients, 1 and 100 rows a request, on logarithmic scales."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), sharey=True, layout="constrained")
    for axis, scenario, unit in zip(axes, (ONE, MANY), ("requests per second", "rows per second"), strict=True):
        _bars(axis, rates(found, scenario), scenario, unit)
    handles = [plt.Rectangle((0, 0), 1, 1, color=_COLOURS[role]) for role in _NOTES]
    figure.legend(handles, list(_NOTES.values()), loc="outside lower center", ncols=len(_NOTES), frameon=False)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)
    return path


def _bars(axis: plt.Axes, found: dict[str, float], scenario: Scenario, unit: str) -> None:
    shown = [server for server in SERVERS if server.key in found and server.role in _COLOURS][::-1]
    values = [found[server.key] for server in shown]
    bars = axis.barh([server.title for server in shown], values, color=[_COLOURS[server.role] for server in shown])
    axis.bar_label(bars, [f"{value:,.0f}" for value in values], padding=4)
    axis.set_xscale("log")
    axis.set_xlim(min(values, default=1) / 3, max(values, default=1) * 4)
    axis.set_title(f"{scenario.title}: {unit}", loc="left", fontsize=11)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(left=False)
    axis.set_xlabel("logarithmic scale", loc="right", fontsize=8, color="grey")
