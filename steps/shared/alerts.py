"""Posting to the alerter of the active stack. What goes wrong here is a warning: no run fails for it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from zenml.client import Client

from noria.system import progress
from noria.system.command_hints import CommandHints

_ESCAPED = {"slack": str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})}
"""By flavor: what values of the data must not be able to do, such as calling everybody in a channel."""


def post_alert(text: str, hints: CommandHints) -> None:
    """Post a text, if the active stack has an alerter and there is a text.

    Args:
        text: its commands are completed: its readers sit elsewhere, so they also name the stack.
        hints: the use case's file and the workspace.
    """
    if not text:
        return
    try:
        stack = Client().active_stack
        alerter = stack.alerter
        if alerter is None:
            return
        with _complaints(alerter) as said:
            completed = replace(hints, stack=stack.name).complete(text)
            sent = alerter.post(completed.translate(_ESCAPED.get(alerter.flavor, {})))
        reason = "" if sent else (said or ["it does not say why"])[-1]
    except Exception as error:  # whatever an integration raises, and what the store of secrets does
        reason = f"{type(error).__name__}: {error}"
    if reason:
        progress.warn(f"the alerter could not be reached ({' '.join(reason.split())[:200]})")


class _Listener(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def _complaints(alerter: Any) -> Iterator[list[str]]:
    """ZenML's alerters log why they could not post, and return False."""
    said: list[str] = []
    log, listener = logging.getLogger(type(alerter).__module__), _Listener(said)
    log.addHandler(listener)
    try:
        yield said
    finally:
        log.removeHandler(listener)
