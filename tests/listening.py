"""Hears what Noria reports while it works."""

from collections.abc import Callable

from noria.system.progress import ProgressHandler


def listen(heard: Callable[[str, str], object]) -> None:
    """Every report goes to `heard(kind, text)`; the text of a stage begins with its name."""
    ProgressHandler(lambda kind, stage, text: heard(kind, f"{stage} {text}" if stage else text)).attach()
