"""Search for byte patterns in files, packed ones included."""

import bz2
import gzip
import html
import json
import lzma
import mmap
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

_MIN_BYTES = 6
_CHUNK = 1 << 20
_HEAD = 8192
"""Bytes of a file's beginning, which tell what it is: text has no zero byte."""
_ESCAPE_BEFORE = re.compile(rb"(?:\\[bfnrt]|%[0-9A-Fa-f]{2}|\\u00[0-7][0-9A-Fa-f])$")
"""An escape whose last character is a letter or a digit, but no part of the word that follows."""
_UNPACKERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}


def search_patterns(texts: Iterable[str]) -> list[bytes]:
    """The byte patterns of the texts as UTF-8, and as JSON, HTML, scripts and URLs write them.

    Texts too short to be specific are left out.
    """
    forms = [form for text in texts if is_specific(text) for form in _forms(text)]
    return [form.encode("utf-8", "surrogatepass") for form in dict.fromkeys(forms)]


def is_specific(text: str) -> bool:
    """Whether a text is too long to be in a file by chance."""
    return len(text.encode("utf-8", "surrogatepass")) >= _MIN_BYTES


def _forms(text: str) -> Iterator[str]:
    as_json = json.dumps(text)[1:-1]
    escaped = html.escape(text)
    yield from (text, as_json, json.dumps(as_json)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    yield from (escaped, html.escape(text, quote=False), escaped.replace("&#x27;", "&#39;"), html.escape(as_json))
    yield "".join(f"\\u{ord(sign):04x}" if sign in "<>&'" else sign for sign in as_json)
    yield from (quote(text), quote(text, safe=""))


def count_occurrences(file: Path, wanted: Sequence[bytes], *, words: bool = False) -> int:
    """The number of occurrences of the patterns in the file's bytes; 0 if there is no such file.

    With `words` only whole words count.
    """
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if words:
                return _count_words(content, wanted)
            return sum(1 for pattern in wanted for _ in _places(content, pattern))
    except (FileNotFoundError, ValueError):  # missing or empty
        return 0


def count_in_content(file: Path, wanted: Sequence[bytes]) -> int:
    """The same in what the file holds: packed files (gzip, bzip2, xz, zip) and Parquet are read.

    In text and in the cells of Parquet whole words are counted, so that `C-1` is not found in `C-10`.

    Raises:
        OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile: it is damaged.
    """
    if not wanted or not file.is_file():
        return 0
    with file.open("rb") as opened:
        head = opened.read(_HEAD)
    if head[:4] == b"PAR1":
        return sum(_count_words(text, wanted) for text in _parquet_texts(file))
    if head[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(file) as packed:
            members = [member for member in packed.infolist() if not member.is_dir()]
            return sum(_count_member(packed, member, wanted) for member in members)
    if any(head.startswith(magic) for magic in _UNPACKERS):
        return _count_packed(file, head, wanted)
    return count_occurrences(file, wanted, words=b"\0" not in head)


def blank_occurrences(file: Path, wanted: Sequence[bytes]) -> int:
    """Overwrite the patterns in a text file with `*`, each as a whole word; returns how many there were.

    The file keeps its length and stays the same file, so that a process may go on writing to it.

    Raises:
        OSError: it cannot be written.
    """
    if not count_occurrences(file, wanted):
        return 0
    blanked = 0
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as content:
        for pattern in sorted(wanted, key=len, reverse=True):
            for at in list(_places(content, pattern)):
                if is_whole_word(content, at, at + len(pattern)):
                    content[at : at + len(pattern)] = b"*" * len(pattern)
                    blanked += 1
        content.flush()
    return blanked


def is_whole_word(content: "mmap.mmap | bytes", start: int, end: int) -> bool:
    """Whether no letter, digit or underscore is beside these bytes of UTF-8 text."""
    before, after = bytes(content[max(0, start - 6) : start]), bytes(content[end : end + 4])
    if _is_word(after.decode("utf-8", "ignore")[:1]):
        return False
    return bool(_ESCAPE_BEFORE.search(before)) or not _is_word(before.decode("utf-8", "ignore")[-1:])


def contains_word(text: str, wanted: Iterable[str]) -> bool:
    """Whether a text contains one of others as a whole word."""
    for each in wanted:
        at = text.find(each)
        while at >= 0:
            end = at + len(each)
            if not _is_word(text[end : end + 1]) and not _is_word(text[at - 1 : at] if at else ""):
                return True
            at = text.find(each, at + 1)
    return False


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _places(content: "mmap.mmap | bytes", pattern: bytes) -> Iterator[int]:
    at = content.find(pattern)
    while at >= 0:
        yield at
        at = content.find(pattern, at + len(pattern))


def _count_words(content: "mmap.mmap | bytes", wanted: Sequence[bytes]) -> int:
    found = ((at, at + len(pattern)) for pattern in wanted for at in _places(content, pattern))
    return sum(is_whole_word(content, start, end) for start, end in found)


def _count_text(content: bytes, wanted: Sequence[bytes]) -> int:
    return sum(content.count(pattern) for pattern in wanted)


def _count_packed(file: Any, head: bytes, wanted: Sequence[bytes]) -> int:
    for magic, unpack in _UNPACKERS.items():
        if head.startswith(magic):
            with unpack(file) as opened:
                return _count_stream(opened, wanted)
    return 0


def _count_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo, wanted: Sequence[bytes]) -> int:
    with packed.open(member) as opened:
        head = opened.read(8)
    with packed.open(member) as opened:
        found = _count_stream(opened, wanted)
    with packed.open(member) as opened:
        return found or _count_packed(opened, head, wanted)


def _count_stream(opened: IO[bytes], wanted: Sequence[bytes]) -> int:
    """Occurrences in a stream of any length; one across two pieces is found once."""
    found, rest = 0, b""
    overlap = max(map(len, wanted)) - 1
    while piece := opened.read(_CHUNK):
        held = rest + piece
        found += _count_text(held, wanted) - _count_text(rest, wanted)
        rest = held[-overlap:] if overlap else b""
    return found


def _parquet_texts(file: Path) -> Iterator[bytes]:
    """The different values of each text column, and all of each nested one, in pieces."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches():
            for column in batch.columns:
                kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
                if pa.types.is_string(kind) or pa.types.is_large_string(kind):
                    yield "\0".join(str(text) for text in column.unique().to_pylist()).encode()
                elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                    yield str(column.to_pylist()).encode()
