"""What a person sees while Noria works: one line per finished stage, a counter for long ones.

Domain code reports here and never prints. By default nothing is shown; the command line installs a listener. Where
`NORIA_PROGRESS` is set, as in a container, stages and warnings are lines on standard output, and `relay` reads them.
"""

import os
from collections.abc import Callable

Listener = Callable[[str, str], None]
_MARKS = {"stage": "✔ ", "warn": "! "}


def relay(output: str) -> None:
    """Report what another process with `NORIA_PROGRESS` has printed; its other lines are passed over."""
    for line in output.splitlines():
        for kind, mark in _MARKS.items():
            if line.startswith(mark):
                _tell(kind, line.removeprefix(mark))


def _printed(kind: str, text: str) -> None:
    if kind in _MARKS:
        print(_MARKS[kind] + text, flush=True)


_listeners: list[Listener] = [_printed] if os.environ.get("NORIA_PROGRESS") else []


def listen(listener: Listener) -> None:
    """Send every report to `listener(kind, text)`; kind is `stage` (finished), `tick` (under way) or `warn`."""
    _listeners[:] = [listener]


def stage(text: str) -> None:
    """A stage is finished."""
    _tell("stage", text)


def tick(text: str) -> None:
    """A long stage has moved on."""
    _tell("tick", text)


def warn(text: str) -> None:
    """Something the user should know, though work goes on."""
    _tell("warn", text)


def _tell(kind: str, text: str) -> None:
    for listener in _listeners:
        listener(kind, text)
