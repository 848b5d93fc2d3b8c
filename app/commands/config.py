"""`config`: use-case files are brought up to date."""

import stat
from pathlib import Path

from app.command_result import CommandResult
from noria.config.migration import migrate_text
from noria.config.yaml_text import read_text
from noria.system.files import atomic_path
from noria.system.shell_commands import run_py


def migrate(path: Path, *, write: bool = True) -> CommandResult:
    """Give the keys of a use case their new names.

    Args:
        path: its YAML file, which is replaced in one go; links and permissions stay.
        write: False: only tell what would change.

    Returns:
        with one fact for each key that has, or would have, a new name.

    Raises:
        NoriaError: the file cannot be read or written, is not YAML, or has a key by both names.
    """
    text, changes = migrate_text(read_text(path), str(path))
    facts = [(old, f"{'is' if write else 'would be'} {new}") for old, new in changes.items()]
    keys = "1 key" if len(changes) == 1 else f"{len(changes)} keys"
    if not changes:
        return CommandResult(f"{path} is up to date.", [])
    if not write:
        return CommandResult(f"{path} has old names of {keys}.", [*facts], [run_py("config migrate", path)])
    target = path.resolve()
    with atomic_path(target, stat.S_IMODE(target.stat().st_mode)) as part:
        part.write_text(text, encoding="utf-8", newline="")
    return CommandResult(f"{path}: {keys} renamed.", [*facts], [run_py("explore --config", path)])
