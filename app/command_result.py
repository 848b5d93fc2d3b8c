"""What every command returns."""

from collections.abc import Sequence
from dataclasses import dataclass

from noria.system.shell_commands import run_py

__all__ = ["CommandResult", "Facts", "run_py"]

Facts = list[tuple[str, object]]


@dataclass(frozen=True)
class CommandResult:
    """How a command ended.

    >>> result = CommandResult("The data is explored.", [("report", "exploration.html")], ["python run.py train"])
    >>> result.fact("report")
    'exploration.html'
    """

    headline: str
    """What happened, in one sentence."""
    facts: Facts
    """Name and value of whatever should be shown: figures, reasons, where results are."""
    next: Sequence[str] = ()
    """What to do next: commands as short as `python run.py deploy`. Use case, stack and workspace are added where they
    are shown (`noria.system.command_hints`)."""

    def fact(self, name: str) -> object:
        """The first fact of this name.

        Raises:
            KeyError: there is none.
        """
        return dict(reversed(self.facts))[name]
