"""Keys that have been renamed: what is written with the old names still loads, and a file can be rewritten.

Light to import, for code that only predicts: YAML is imported when text is migrated.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from noria.system.errors import NoriaError

Value = TypeVar("Value")

RENAMED = {
    "data.known_too_late": "data.unavailable_at_prediction",
    "decision.ask_within": "decision.review_margin",
    "decision.ask_below": "decision.review_below",
    "decision.act_above": "decision.act_from",
}
"""Old path → new path, each in the same section: `section.key`."""


def renamed_in(section: str) -> dict[str, str]:
    """The keys of a section that have been renamed: old name → new name."""
    return {_key(old): _key(new) for old, new in RENAMED.items() if old.startswith(f"{section}.")}


def old_keys(raw: Mapping[str, Any]) -> dict[str, str]:
    """The old paths that a use case is written with → the new ones."""
    return {old: new for old, new in RENAMED.items() if _key(old) in _section(raw, old)}


def refuse_both(raw: Mapping[str, Any], where: str) -> None:
    """Refuse a use case that has a key by its old and by its new name.

    Raises:
        NoriaError: it does.
    """
    for old, new in old_keys(raw).items():
        if _key(new) in _section(raw, new):
            raise both_given(f"`{old}`", f"`{new}`", where)


def both_given(old: str, new: str, where: str = "") -> NoriaError:
    """The error for a key that is given by its old and by its new name, each as it was written."""
    return NoriaError(
        f"{old} is the old name of {new}, and both are given",
        code="config.key_given_twice",
        where=where,
        fix=f"remove {old}",
    )


def with_new_names(section: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """What is given for a section, by the new names.

    Raises:
        NoriaError: a key is given by both names.
    """
    renamed = renamed_in(section)
    for old, new in renamed.items():
        if old in given and new in given:
            raise both_given(f"`{old}`", f"`{new}`")
    return {renamed.get(key, key): value for key, value in given.items()}


def accept_old_names(section: str, given: object) -> object:
    """`with_new_names` for a validator that runs before the others: what is no mapping is left to those.

    Raises:
        ValueError: a key is given by both names.
    """
    if not isinstance(given, Mapping):
        return given
    try:
        return with_new_names(section, given)
    except NoriaError as error:
        raise ValueError(error.what) from error


def migrate_text(text: str, where: str = "") -> tuple[str, dict[str, str]]:
    """The text of a use case with the new names of its keys; all else stays as it is, comments too.

    Args:
        text: YAML.
        where: its file, for errors.

    Returns:
        the new text, and what was renamed: old path → new path.

    Raises:
        NoriaError: the text is not YAML, or has a key by both names.
    """
    from noria.config.yaml_text import key_spans, parse_yaml

    raw = parse_yaml(text, where)
    refuse_both(raw, where)
    changes = old_keys(raw)
    spans = key_spans(text)
    # from the end, so that earlier places stay where they are
    for start, end, path in sorted(((*spans[path], path) for path in changes), reverse=True):
        written, old, new = text[start:end], _key(path), _key(changes[path])
        before, found, after = written.rpartition(old)  # keeps quotation marks
        text = text[:start] + (before + new + after if found else new) + text[end:]
    wanted = {
        name: with_new_names(name, section) if isinstance(section, Mapping) else section
        for name, section in raw.items()
    }
    # where a key is an alias, the text that it stands for would have changed
    if repr(parse_yaml(text, where)) != repr(wanted):
        raise NoriaError(
            f"{', '.join(changes)} cannot be renamed",
            code="config.migration_unsupported",
            where=where,
            fix="write the keys without anchors",
        )
    return text, changes


def _key(path: str) -> str:
    return path.partition(".")[2]


def _section(raw: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    found = raw.get(path.partition(".")[0])
    return found if isinstance(found, Mapping) else {}
