"""The file of rows that could not be predicted."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from noria.system.files import atomic_path
from noria.tabular.names import set_apart
from noria.tabular.spreadsheet_text import for_people

ABOUT = ("row", "reason")


class Quarantine:
    """Made at the first bad row, in place when all went well; if there was none, the file of an earlier run goes."""

    def __init__(self, file: Path, names: list[str]) -> None:
        self._file, self._stack = file, ExitStack()
        taken = [*ABOUT, *names]
        self._apart = [set_apart(name, taken, " (in the file)") if name in ABOUT else name for name in names]
        self._handle: Any = None

    def __enter__(self) -> "Quarantine":
        return self

    def add(self, rows: str) -> None:
        """Write rows of CSV: number, reason, and the values of the columns `names` as they came."""
        if not rows:
            return
        if self._handle is None:
            part = self._stack.enter_context(atomic_path(self._file))
            self._handle = self._stack.enter_context(part.open("w", encoding="utf-8", newline=""))
            self._handle.write(for_people(pd.DataFrame(columns=[*ABOUT, *self._apart])).to_csv(index=False))
        self._handle.write(rows)

    def __exit__(self, *error: Any) -> bool | None:
        if self._handle is None and error[0] is None:
            self._file.unlink(missing_ok=True)
        return self._stack.__exit__(*error)
