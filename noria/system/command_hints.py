"""Commands in messages, reports and alerts, completed so that they can be copied.

A message names a command as short as `python run.py deploy`. Where it is shown, the use case, the stack and the
workspace are added that it was written for.
"""

import re
import shlex
from dataclasses import dataclass

from noria.system.workspace import PROJECT, home

_QUOTED = r"""(?:'[^']*'|"'")+"""
"""A word as `shlex.quote` quotes it."""
_DATA = rf"(?<![^\s=]){_QUOTED}"
_COMMAND = re.compile(
    rf"(?P<data>{_DATA})|(?P<home>NORIA_HOME=(?:{_QUOTED}|[^\s'\"]+) )?"
    rf"python run\.py (?P<name>[a-z]+)\b(?=(?P<rest>(?:{_DATA}|(?!python run\.py)[^`\n])*))"
)
_WITHOUT_CONFIG = frozenset({"new", "config", "platform", "images", "stack"})
_WITHOUT_STACK = frozenset({*_WITHOUT_CONFIG, "dashboard", "forget", "image"})


@dataclass(frozen=True)
class CommandHints:
    """Which use case, stack and workspace the commands are meant for.

    >>> CommandHints("out/my.yaml", "docker").complete("first `python run.py deploy`, then python run.py stop --yes")
    'first `python run.py deploy --config out/my.yaml --stack docker`, then python run.py stop --config out/my.yaml \
--stack docker --yes'
    """

    config: str = ""
    """File of the use case, as it was named on the command line; empty: not known."""
    stack: str = ""
    """Stack that was named on the command line; empty: none."""
    home: str = ""
    """The workspace, if it is not the project's own `.noria`."""

    def complete(self, text: str) -> str:
        """The same text, with every command of Noria in it as it must be typed.

        Options that a command has already, or does not take, are not added. A quoted word is data and stays as it is.
        """
        return _COMMAND.sub(self._completed, text)

    def _completed(self, found: re.Match[str]) -> str:
        if found["data"] is not None:
            return found[0]
        name, rest = found["name"], found["rest"]
        before = found["home"] or (f"NORIA_HOME={shlex.quote(self.home)} " if self.home else "")
        options = ""
        if self.config and name not in _WITHOUT_CONFIG and not re.search(r"--config\b|--help\b", rest):
            options = f" --config {shlex.quote(self.config)}"
        if self.stack and name not in _WITHOUT_STACK and not re.search(r"--stack\b|--help\b", rest):
            options += f" --stack {shlex.quote(self.stack)}"
        return f"{before}python run.py {name}{options}"


def other_home() -> str:
    """The workspace's folder, if it is not the project's own `.noria`; else empty."""
    return "" if home() == (PROJECT / ".noria").resolve() else str(home())
