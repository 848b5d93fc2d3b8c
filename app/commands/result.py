"""What every command returns."""

from collections.abc import Sequence
from dataclasses import dataclass

Facts = list[tuple[str, object]]
OPTIONS = "{options}"
"""Stands in a next command for the options that name the same use case and stack."""


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
    """What to do next: commands, in which `{options}` stands for --config and --stack."""

    def fact(self, name: str) -> object:
        """The first fact of this name.

        Raises:
            KeyError: there is none.
        """
        return dict(reversed(self.facts))[name]

    def next_commands(self, options: str) -> list[str]:
        """The next commands as they are typed.

        Args:
            options: such as "--config configs/my.yaml --stack local".
        """
        return [command.replace(OPTIONS, options) for command in self.next]


def run_py(command: str) -> str:
    """A command of Noria on the same use case and stack, such as `run_py("deploy")`."""
    return f"python run.py {command} {OPTIONS}"
