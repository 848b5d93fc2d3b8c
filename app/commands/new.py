"""`new`: write a use case for a table that Noria has not seen before."""

import os
from pathlib import Path

from app.command_result import CommandResult
from noria.config import load_use_case
from noria.profiling.scaffold import propose
from noria.system.errors import NoriaError
from noria.system.files import atomic_path
from noria.system.shell_commands import run_py
from noria.system.workspace import PROJECT


def new(data: str, target: str, query: str | None, output: Path | None, *, force: bool) -> CommandResult:
    """Propose a use case and write it, having checked that it loads.

    Raises:
        NoriaError: the table cannot be read or has no such target, or the file is there already.
    """
    if output is not None and not force:
        _refuse_taken(output)
    proposal = propose(data, target, query, output=output)
    path = output or PROJECT / "configs" / f"{proposal.name}.yaml"
    if not force:
        _refuse_taken(path)
    with atomic_path(path) as part:
        part.write_text(proposal.yaml, encoding="utf-8")
        load_use_case(part)
    return CommandResult(
        f"A use case for `{target}` is written.",
        [("file", path), *(("note", note) for note in proposal.notes)],
        [f"read it, correct what is marked `replace`, then: {run_py('train --config', path)}"],
    )


def _refuse_taken(path: Path) -> None:
    if os.path.lexists(path):
        raise NoriaError(
            "the file is there already",
            code="cli.output_taken",
            where=str(path),
            fix="name another --output, or add --force",
        )
