"""Looking for pieces of text in files, byte by byte."""

import json
import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path

_SHORTEST = 6


def search_patterns(texts: Iterable[str]) -> list[bytes]:
    """What to look for: each text as UTF-8 and as JSON writes it. Texts that turn up by chance are left out."""
    forms = [form for text in texts for form in (text, json.dumps(text)[1:-1])]
    return [form.encode() for form in dict.fromkeys(forms) if len(form.encode()) >= _SHORTEST]


def count_occurrences(file: Path, wanted: Sequence[bytes]) -> int:
    """How often any of the pieces stands in the file; 0 if there is no such file."""
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return sum(_count(content, piece) for piece in wanted)
    except (FileNotFoundError, ValueError):  # gone meanwhile, or empty
        return 0


def _count(content: mmap.mmap, piece: bytes) -> int:
    found, at = 0, content.find(piece)
    while at >= 0:
        found, at = found + 1, content.find(piece, at + len(piece))
    return found
