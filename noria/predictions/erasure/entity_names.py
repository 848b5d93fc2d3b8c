"""The names under which a case may be stored."""

from dataclasses import dataclass

from noria.config import UseCase
from noria.predictions.privacy import KEY, key_from_environment, keyed_hash
from noria.system.errors import NoriaError


@dataclass(frozen=True)
class EntityNames:
    """The stored names of a case."""

    all: tuple[str, ...]
    note: str = ""
    """Why some of its rows may not be identifiable; empty: all are."""


def entity_names(entity: str, use_case: UseCase) -> EntityNames:
    """The entity as given, since it may have been stored before privacy settings, and as it is stored now.

    Raises:
        NoriaError: the use case has no identifier column, or the key of the hash is missing.
    """
    column, privacy = use_case.data.id, use_case.serving.privacy
    if column is None:
        raise NoriaError(
            "the use case has no identifier column, so stored rows name no case",
            code="predictions.id_column_missing",
            where="data.id",
            fix="without one there is nothing to find; serving.privacy.keep_days erases old rows",
        )
    if not entity.strip():
        raise NoriaError(
            "an empty text is not an entity",
            code="predictions.entity_empty",
            where="--entity",
            fix=f"give a value of `{column}`",
        )
    if column in privacy.hash:
        return EntityNames((entity, _hashed(entity, column)))
    if column in privacy.drop:
        return EntityNames((entity,), f"`{column}` is dropped now, so newer rows name no case")
    if column in privacy.truncate:
        length = privacy.truncate[column]
        return EntityNames(
            (entity,), f"only {length} characters of `{column}` are stored now, so newer rows name no single case"
        )
    return EntityNames((entity,))


def _hashed(entity: str, column: str) -> str:
    key = key_from_environment()
    if key is None:
        raise NoriaError(
            f"`{column}` is stored as a keyed hash, so without the key nothing of this case can be found",
            code="predictions.key_missing",
            where=f"environment variable {KEY}",
            fix=f"set {KEY} to the key of the service",
        )
    return str(keyed_hash(key, column, entity))
