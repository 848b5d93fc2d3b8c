"""The learning curves as a picture."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

_COLOURS = {"Noria": "#0b6e4f", "random": "#8d99ae"}


def draw(tables: dict[str, Any], path: Path) -> Path:
    """The mean ROC AUC over the number of labels, with the range of four fifths of the seeds, one panel per table."""
    figure, panels = plt.subplots(1, len(tables), figsize=(4.6 * len(tables), 4.2), layout="constrained", squeeze=False)
    for axis, (name, found) in zip(panels[0], tables.items(), strict=True):
        for way, curves in found["areas"].items():
            low, high = np.quantile(curves, [0.1, 0.9], axis=0)
            axis.fill_between(found["counts"], low, high, color=_COLOURS[way], alpha=0.15, linewidth=0)
            axis.plot(found["counts"], np.mean(curves, axis=0), color=_COLOURS[way], label=way)
        axis.axhline(found["goal"], color="black", linewidth=0.8, linestyle=":")
        axis.set_xscale("log")
        axis.set_ylim(max(0.5, found["goal"] - 0.45 * (found["full"] - 0.5)), None)
        axis.set_title(name, loc="left", fontsize=11)
        axis.set_xlabel("labels", loc="right", fontsize=9)
        axis.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel("ROC AUC on the test rows")
    panels[0][0].legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
    return path
