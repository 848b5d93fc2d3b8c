"""What a person sees while Noria works: one line per finished stage, a counter for long ones.

Domain code reports here and never prints. By default nothing is shown; the command line installs a listener.
"""

from collections.abc import Callable

Listener = Callable[[str, str], None]
_listeners: list[Listener] = []


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
