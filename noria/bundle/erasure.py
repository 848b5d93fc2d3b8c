"""Taking a case out of a sealed bundle: the rows that travel with the model go, and the bundle is sealed again.

The model stays as it is. Where the case's texts are a part of the model (a category that only this case had), only a
model trained without it is free of them.
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from noria.bundle.bundle import EXAMPLES, HISTORY, REFERENCE
from noria.bundle.fast_format import FAST, FastFormat
from noria.bundle.manifest import Manifest
from noria.bundle.seal import sealed_bytes, verify_seal
from noria.bundle.writer import replace_files
from noria.history.cases import read_cases
from noria.history.seed import pack_seed, unpack_seed
from noria.predictions.erasure import BundleErasure, EntityMatcher
from noria.predictions.erasure.search_patterns import contains_word, count_in_content
from noria.tabular.values import number_of

if TYPE_CHECKING:
    import pandas as pd

_REPLACE = "train on data without it and deploy; then remove this folder"


def erase_from_bundle(folder: Path, case: EntityMatcher) -> BundleErasure:
    """Remove the rows of a case from the reference sample, the examples, the earlier cases of history features and the
    background of explanations.

    A row is the case's if it holds one of its texts, or if all its inputs are those of a known row of the case.

    Args:
        folder: a sealed bundle; one of another use case is left as it is.
        case: its texts and rows.

    Raises:
        NoriaError: the bundle is damaged, or cannot be written.
    """
    manifest = verify_seal(folder)
    if manifest.name != case.use_case:
        return BundleErasure(left=_left(folder, manifest, case))
    changed: dict[str, bytes] = {}
    removed = 0
    for name, erase in (
        (REFERENCE, _reference),
        (EXAMPLES, _examples),
        (HISTORY, _history),
        (FAST, _background),
    ):
        if name in manifest.files:
            content, rows = erase(sealed_bytes(folder, manifest, name), manifest, case)
            if rows:
                changed[name], removed = content, removed + rows
    if changed:
        manifest = replace_files(folder, manifest, changed)
    return BundleErasure(removed, _left(folder, manifest, case))


def _left(folder: Path, manifest: Manifest, case: EntityMatcher) -> str:
    names = [*sorted(manifest.files), "manifest.json"]
    found = [name for name in names if count_in_content(folder / name, case.patterns)]
    if not found:
        return ""
    who = "" if manifest.name == case.use_case else f" of the use case `{manifest.name}`"
    return f"version {manifest.version}{who} was trained with it ({', '.join(found)}): {_REPLACE}"


def _reference(content: bytes, manifest: Manifest, case: EntityMatcher) -> tuple[bytes, int]:
    import pandas as pd

    frame = pd.read_parquet(io.BytesIO(content))
    own = _own_places(frame, _asked(manifest), case)
    if not own:
        return content, 0
    kept = frame.drop(index=frame.index[own]).reset_index(drop=True)
    written = io.BytesIO()
    kept.to_parquet(written, compression="zstd", index=False)
    return written.getvalue(), len(own)


def _examples(content: bytes, manifest: Manifest, case: EntityMatcher) -> tuple[bytes, int]:
    rows: list[dict[str, Any]] = json.loads(content)
    names = _asked(manifest)
    known = _known(names, case)
    kept = [row for row in rows if not _is_own(row, names, known, case)]
    removed = len(rows) - len(kept)
    if not kept:  # smoke tests need one; nothing is known of this one
        kept = [dict.fromkeys(names)]
    return json.dumps(kept, ensure_ascii=False, indent=2).encode(), removed


def _history(content: bytes, manifest: Manifest, case: EntityMatcher) -> tuple[bytes, int]:
    cases, entities = unpack_seed(content)
    texts = [[entity, *keys] for entity, *keys in zip(entities, *map(cases.key_texts, cases.keys), strict=True)]
    known = _known_identities(manifest, case)
    kept = [
        place
        for place, (identity, row) in enumerate(zip(cases.identities(), texts, strict=True))
        if identity not in known and not any(text is not None and contains_word(text, case.texts) for text in row)
    ]
    if len(kept) == len(cases):
        return content, 0
    remaining = cases.take(np.array(kept, dtype=np.intp)).without_unused_keys()
    return pack_seed(remaining, [entities[place] for place in kept]), len(cases) - len(kept)


def _known_identities(manifest: Manifest, case: EntityMatcher) -> set[tuple[object, ...]]:
    """Time, keys and numbers of the case's rows."""
    spec = manifest.schema_.history
    rows = [] if spec is None else [row for row in case.rows if row.keys() >= {*spec.inputs}]
    if spec is None or not rows:
        return set()
    columns = {column.name: column for column in manifest.schema_.columns}
    read = read_cases(spec, columns, {name: [row[name] for row in rows] for name in spec.inputs})
    return set(read.identities())


def _background(content: bytes, manifest: Manifest, case: EntityMatcher) -> tuple[bytes, int]:
    stored = msgspec.msgpack.decode(content, type=FastFormat)
    names = list(stored.background)
    rows = [dict(zip(names, values, strict=True)) for values in zip(*stored.background.values(), strict=True)]
    asked = _asked(manifest)
    known = _known(asked, case)
    kept = [row for row in rows if not _is_own(row, asked, known, case)]
    if len(kept) == len(rows) or not kept:
        return content, 0
    background = {name: [row[name] for row in kept] for name in names}
    changed = msgspec.structs.replace(stored, background=background)
    return msgspec.msgpack.encode(changed), len(rows) - len(kept)


def _asked(manifest: Manifest) -> list[str]:
    """The inputs that a table has; features of earlier cases are in no table."""
    return [column.name for column in manifest.schema_.asked]


def _own_places(frame: "pd.DataFrame", inputs: Sequence[str], case: EntityMatcher) -> list[int]:
    known = _known(inputs, case)
    return [place for place, row in enumerate(frame.to_dict("records")) if _is_own(row, inputs, known, case)]


def _known(inputs: Sequence[str], case: EntityMatcher) -> set[tuple[object, ...]]:
    """The inputs of the case's rows."""
    return {tuple(_plain(row[name]) for name in inputs) for row in case.rows if row.keys() >= set(inputs)}


def _is_own(row: Mapping[Any, Any], inputs: Sequence[str], known: set[tuple[object, ...]], case: EntityMatcher) -> bool:
    texts = (value for value in row.values() if isinstance(value, str))
    if any(contains_word(text, case.texts) for text in texts):
        return True
    return tuple(_plain(row[name]) for name in inputs) in known


def _plain(value: object) -> object:
    """Equal for values that are the same however they are kept: 3, 3.0 and "3"; missing is None."""
    if value is None or str(value) in {"nan", "NaT", "<NA>"}:
        return None
    if isinstance(value, bool):
        return str(value)
    try:
        return number_of(value)
    except (TypeError, ValueError):
        text = str(value)
    return text.replace("T", " ").removesuffix(".000").removesuffix(" 00:00:00") if text[:4].isdigit() else text
