"""Looking at the table before anything is learned from it: facts, findings in plain words, and a report."""

from noria.explore.explore import explore
from noria.explore.facts import Exploration
from noria.explore.report import exploration_report

__all__ = ["Exploration", "exploration_report", "explore"]
