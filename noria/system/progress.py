"""What a person sees while Noria works: one line per finished stage, a counter for long ones, and warnings.

Domain code reports here and never prints. Reports are records of the logger `noria.progress`; by default nothing is
shown, and the command line attaches a handler. Where `NORIA_PROGRESS` is set, as in a container, stages and warnings
are lines on standard output, and `relay` reads them.
"""

import logging
import os
from collections.abc import Callable

STAGE, TICK, WARNING = "stage", "tick", "warn"
logger = logging.getLogger("noria.progress")
_MARKS = {STAGE: "✔ ", WARNING: "! "}


class ProgressHandler(logging.Handler):
    """Passes each report on.

    Args:
        show: is called with the kind of a report (`STAGE`, `TICK` or `WARNING`), the name of the stage ("" for the
            others) and the text.
    """

    def __init__(self, show: Callable[[str, str, str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one report on."""
        self._show(getattr(record, "kind", WARNING), getattr(record, "stage", ""), record.getMessage())

    def attach(self) -> None:
        """Show the reports of this process from now on, in place of another handler."""
        logger.handlers[:] = [self]


def stage(name: str, text: str) -> None:
    """A stage is finished; its name is one word, such as "train"."""
    _report(STAGE, text, name)


def tick(text: str) -> None:
    """A long stage has made progress."""
    _report(TICK, text)


def warn(text: str) -> None:
    """Something the user should know, though work goes on."""
    _report(WARNING, text)


def relay(output: str) -> None:
    """Report what another process with `NORIA_PROGRESS` has printed; its other lines are skipped."""
    for line in output.splitlines():
        if line.startswith(_MARKS[STAGE]):
            name, _, text = line.removeprefix(_MARKS[STAGE]).partition(" ")
            stage(name, text.lstrip())
        elif line.startswith(_MARKS[WARNING]):
            warn(line.removeprefix(_MARKS[WARNING]))


def _report(kind: str, text: str, name: str = "") -> None:
    level = logging.WARNING if kind == WARNING else logging.INFO
    # %-formatting is not applied without arguments, so a text may hold a percent sign
    logger.log(level, text, extra={"kind": kind, "stage": name})


def _print(kind: str, name: str, text: str) -> None:
    if kind in _MARKS:
        print(f"{_MARKS[kind]}{name} {text}" if name else f"{_MARKS[kind]}{text}", flush=True)


logger.setLevel(logging.INFO)
logger.propagate = False
logger.addHandler(ProgressHandler(_print) if os.environ.get("NORIA_PROGRESS") else logging.NullHandler())
