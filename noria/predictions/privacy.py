"""Redaction of personal data, applied before anything reaches the spool or the store."""

import hmac
import os
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from noria.system.errors import NoriaError
from noria.tabular.names import one_note

if TYPE_CHECKING:
    from noria.config.serving import PrivacyConfig

KEY = "NORIA_PRIVACY_KEY"
_DIGITS = 32
_Value = str | int | float | bool | None
_Redaction = Callable[[_Value], _Value]


class Redactor:
    """Redacts rows, entity names and warnings. Safe for several threads."""

    def __init__(
        self,
        privacy: "PrivacyConfig",
        names: Sequence[str],
        key: bytes | None = None,
        id: str | None = None,
        time: str | None = None,
    ) -> None:
        """Create a redactor for the rows of one model.

        Args:
            privacy: which columns are redacted, and how.
            names: the model's p input columns.
            key: the secret of the keyed hash (HMAC-SHA256, RFC 2104).
            id: the column that names the case, if there is one.
            time: the column that tells when the case happens, if there is one.

        Raises:
            NoriaError: a column is not known, or a column is to be hashed and there is no key.
        """
        known = list(dict.fromkeys([*names, *(name for name in (id, time) if name is not None)]))
        self._redactions = _redactions(privacy, known, key)
        self._input_redactions = [
            (place, self._redactions[name]) for place, name in enumerate(names) if name in self._redactions
        ]
        self._entity_redaction = self._redactions.get(id) if id is not None else None
        self._names = known
        self.keeps_time = time is not None and time not in self._redactions
        """Whether the time of the case may be kept."""
        self._entity_namer = partial(entity_namer, privacy, id, key)
        self.active = bool(self._redactions)
        """Whether anything is redacted at all."""

    def row(self, values: list[_Value]) -> list[_Value]:
        """The p inputs of one row, in the order of `names`: a hash is text of 32 digits, a dropped value is None.

        Returns the same list if no input is redacted, otherwise a new one.
        """
        if not self._input_redactions:
            return values
        kept = values.copy()
        for place, redact in self._input_redactions:
            kept[place] = redact(values[place])
        return kept

    def entity(self, case: str | None) -> str | None:
        """The name of a case as stored with its prediction."""
        if self._entity_redaction is None or case is None:
            return case
        kept = self._entity_redaction(case)
        return None if kept is None else str(kept)

    def label_entity(self, case: str) -> str:
        """The name under which a label finds the predictions of a case.

        Raises:
            NoriaError: the column is truncated or dropped, so that it does not identify a case.
        """
        return self._entity_namer()(case)

    def warning(self, text: str) -> str:
        """The warnings on one row. If one of them is about a redacted column, all lose their values.

        All, because a value may itself look like the warning on another column.
        """
        if not text or not self._redactions:
            return text
        noted = {name: one_note(name) for name in self._names}
        mentioned = [name for name, note in noted.items() if text.startswith(f"{note}: ") or f"; {note}: " in text]
        if self._redactions.keys().isdisjoint(mentioned):
            return text
        return "; ".join(f"{noted[name]}: unusual" for name in mentioned)


def entity_namer(privacy: "PrivacyConfig", id: str | None, key: bytes | None) -> Callable[[str], str]:
    """A function from the name of a case to its stored name, so that a label finds its predictions.

    Raises:
        NoriaError: stored names do not identify cases, or the key is missing.
    """
    if id is not None and (id in privacy.drop or id in privacy.truncate):
        raise NoriaError(
            f"`{id}` is not stored completely, so it does not match labels to predictions",
            code="predictions.id_not_kept",
            where="serving.privacy",
            fix="name the prediction by its id, or hash the column instead",
        )
    if id is None or id not in privacy.hash:
        return str
    if not key:
        raise _missing_key()
    return lambda case: str(keyed_hash(key, id, case))


def key_from_environment() -> bytes | None:
    """The key for hashing, from NORIA_PRIVACY_KEY; None if it is not set."""
    key = os.environ.get(KEY)
    return key.encode() if key else None


def keyed_hash(key: bytes, column: str, value: _Value) -> _Value:
    """The hash of a value, different for each column so that columns cannot be joined by it; None stays None."""
    if value is None:
        return None
    return hmac.digest(key, f"{column}\0{_text(value)}".encode("utf-8", "surrogatepass"), "sha256").hex()[:_DIGITS]


def _redactions(privacy: "PrivacyConfig", known: Sequence[str], key: bytes | None) -> dict[str, _Redaction]:
    for section, columns in (("hash", privacy.hash), ("drop", privacy.drop), ("truncate", privacy.truncate)):
        for column in columns:
            if column not in known:
                raise _unknown_column(section, column, known)
    if privacy.hash and not key:
        raise _missing_key()
    redactions: dict[str, _Redaction] = {column: partial(keyed_hash, key or b"", column) for column in privacy.hash}
    redactions |= dict.fromkeys(privacy.drop, _drop)
    return redactions | {column: partial(_truncate, length) for column, length in privacy.truncate.items()}


def _unknown_column(section: str, column: str, known: Sequence[str]) -> NoriaError:
    near = get_close_matches(column, known, n=1, cutoff=0.6)
    return NoriaError(
        f"`{column}` is not an input of the model, so nothing of it is stored",
        code="predictions.column_unknown",
        where=f"serving.privacy.{section}",
        fix=f"did you mean `{near[0]}`?" if near else f"take it out; the inputs are: {', '.join(known)}",
    )


def _missing_key() -> NoriaError:
    return NoriaError(
        "columns are to be hashed, but there is no key",
        code="predictions.key_missing",
        where=f"environment variable {KEY}",
        fix=f"set {KEY} to a long random text and keep it: with another one, a case no longer matches its past",
    )


def _drop(_: _Value) -> None:
    return None


def _truncate(length: int, value: _Value) -> _Value:
    return None if value is None else _text(value)[:length]


def _text(value: _Value) -> str:
    """The same text for equal values: 3 and 3.0 are the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
