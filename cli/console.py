"""How the command line looks: progress while it works, and how every command ends."""

import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from noria.system.command_hints import CommandHints
from noria.system.errors import NoriaError
from noria.system.progress import STAGE, TICK, ProgressHandler

_STAGE_WIDTH = 10
_TICK_SECONDS = 5.0
"""Where no person looks (a log file), a counter is written this often."""


class Screen:
    """Everything that is printed. Results go to standard output; progress and errors to standard error."""

    hints = CommandHints()
    """What commands in printed texts are completed with."""

    def __init__(self) -> None:
        self.out = Console(highlight=False, soft_wrap=True, emoji=False)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
        self._status = self.err.status("", spinner="dots")
        self._last_stage = self._last_tick = time.monotonic()

    def follow_progress(self) -> None:
        """Show what the domain reports from now on."""
        ProgressHandler(self._report).attach()
        self._last_stage = time.monotonic()

    def title(self, text: str) -> None:
        """A headline above a command's progress."""
        self.err.print(f"\n[bold cyan]{escape(text)}[/]")

    def result(self, headline: str, facts: Sequence[tuple[str, object]], *, following: Sequence[str]) -> None:
        """How a command ends: what happened, where the results are, and what to do next."""
        self._status.stop()
        self.out.print(f"\n[bold green]{escape(headline)}[/]")
        width = max((len(name) for name, _ in facts), default=0)
        for name, value in facts:  # one line each, however long, so that paths can be copied; a table would cut them
            self.out.print(f"  [dim]{escape(name):<{width}}[/]  {self._escaped(str(value))}")
        for command in following:
            self.out.print(f"  [bold]next[/]  {self._escaped(command)}")

    def problems(self, headline: str, problems: Sequence[tuple[str, str]], *, following: Sequence[str]) -> None:
        """Several things that the user can correct: what, and how."""
        self._status.stop()
        self.err.print(f"\n[bold red]{escape(headline)}[/]")
        for what, fix in problems:
            self.err.print(f"  [red]✘[/] {escape(what)}")
            self.err.print(f"    [bold]fix[/]  {self._escaped(fix)}")
        for command in following:
            self.err.print(f"  [bold]next[/]  {self._escaped(command)}")

    def error(self, error: NoriaError) -> None:
        """An error that the user can correct."""
        self._status.stop()
        self.err.print(f"\n[bold red]Error[/]  {escape(error.what)}")
        if error.where:
            self.err.print(f"[bold]where[/]  {escape(error.where)}")
        if error.fix:
            self.err.print(f"[bold]fix[/]    {self._escaped(error.fix)}")
        self.err.print(f"[dim]code   {escape(error.code)}[/]")

    def unexpected(self, error: BaseException) -> None:
        """An error that Noria did not foresee."""
        self._status.stop()
        self.err.print(f"\n[bold red]Unexpected error[/]  {type(error).__name__}: {escape(str(error))}")
        self.err.print("[bold]fix[/]    run the command again with --debug to see where it happened, and report it")

    def confirmed(self, question: str) -> bool:
        """Ask a person, who may also be absent: then the answer is no."""
        self._status.stop()
        if not sys.stdin.isatty():
            return False
        self.err.print(f"\n{escape(question)}")
        return self.err.input("[bold]Go on?[/] [y/N] ").strip().lower() in {"y", "yes"}

    def stopped(self, text: str) -> None:
        """The user pressed Ctrl-C."""
        self._status.stop()
        self.err.print(f"\n[bold yellow]Stopped.[/] {escape(text)}")

    def _report(self, kind: str, stage: str, text: str) -> None:
        now = time.monotonic()
        if kind == TICK:
            self._tick(text, now)
            return
        self._status.stop()
        if kind == STAGE:
            mark = f"  [green]✔[/] {escape(stage):<{_STAGE_WIDTH}}"
            self.err.print(f"{mark} {escape(text)}  [dim]{now - self._last_stage:.1f} s[/]")
            self._last_stage = now
        else:
            self.err.print(f"  [yellow]![/] {self._escaped(text)}")

    def _escaped(self, text: str) -> str:
        return escape(self.hints.complete(text))

    def _tick(self, text: str, now: float) -> None:
        if self.err.is_terminal:
            self._status.update(escape(text))
            self._status.start()
        elif now - self._last_tick > _TICK_SECONDS:
            self.err.print(f"    [dim]{escape(text)}[/]")
            self._last_tick = now
