"""A report for people: one self-contained HTML page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HtmlReport:
    """A self-contained HTML page and its title."""

    title: str
    html: str
