"""The steps of the monitoring pipeline."""

from steps.monitoring.check import check
from steps.monitoring.collect import collect
from steps.monitoring.join_labels import join_labels

__all__ = ["check", "collect", "join_labels"]
