"""Watching a deployed model: drift, performance, a verdict with reasons, and its history.

What reads a table is imported when it is first asked for: `status` needs the history alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from noria.monitoring.loop_news import LoopNews, NewsItem
from noria.monitoring.verdict import MonitoringVerdict

if TYPE_CHECKING:
    from noria.monitoring.label_join import LabelJoinResult, join_labels
    from noria.monitoring.monitoring_run import monitor
    from noria.monitoring.window import Window, read_window

__all__ = [
    "LabelJoinResult",
    "LoopNews",
    "MonitoringVerdict",
    "NewsItem",
    "Window",
    "join_labels",
    "monitor",
    "read_window",
]
_PLACES = {
    "LabelJoinResult": "label_join",
    "join_labels": "label_join",
    "monitor": "monitoring_run",
    "Window": "window",
    "read_window": "window",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
