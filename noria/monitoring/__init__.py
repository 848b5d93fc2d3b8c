"""Watching a deployed model: drift, performance, a verdict with reasons, and its history."""

from noria.monitoring.label_join import LabelJoinResult, join_labels
from noria.monitoring.monitoring_run import monitor
from noria.monitoring.verdict import MonitoringVerdict
from noria.monitoring.window import Window, read_window

__all__ = ["LabelJoinResult", "MonitoringVerdict", "Window", "join_labels", "monitor", "read_window"]
