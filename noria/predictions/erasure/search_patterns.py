"""Search for byte patterns in files."""

import json
import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path

_MIN_BYTES = 6


def search_patterns(texts: Iterable[str]) -> list[bytes]:
    """The byte patterns of the texts, as UTF-8 and as JSON. Texts too short to be specific are left out."""
    forms = [form for text in texts for form in (text, json.dumps(text)[1:-1])]
    return [form.encode() for form in dict.fromkeys(forms) if len(form.encode()) >= _MIN_BYTES]


def count_occurrences(file: Path, wanted: Sequence[bytes]) -> int:
    """The number of occurrences of the patterns in the file; 0 if there is no such file."""
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return sum(_count(content, pattern) for pattern in wanted)
    except (FileNotFoundError, ValueError):  # missing or empty
        return 0


def _count(content: mmap.mmap, pattern: bytes) -> int:
    found, at = 0, content.find(pattern)
    while at >= 0:
        found, at = found + 1, content.find(pattern, at + len(pattern))
    return found
