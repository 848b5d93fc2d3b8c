"""Under which names a case was kept."""

from dataclasses import dataclass

from noria.config import UseCase
from noria.predictions.privacy import KEY, key_from_environment, keyed_hash
from noria.system.errors import NoriaError


@dataclass(frozen=True)
class EntityNames:
    """The names of a case in what was kept."""

    all: tuple[str, ...]
    note: str = ""
    """Why there may be rows of it that nobody can find any more; empty: there are none."""


def entity_names(entity: str, use_case: UseCase) -> EntityNames:
    """As it was given, since it may have been kept before any privacy was asked for, and as it is kept now.

    Raises:
        NoriaError: the use case names no identifier, or the key is missing that cases are hashed with.
    """
    column, privacy = use_case.data.id, use_case.serving.privacy
    if column is None:
        raise NoriaError(
            "the use case names no column that identifies a case, so nothing that is kept names one",
            where="data.id",
            fix="without such a column there is nothing to find; keep_days in serving.privacy erases what is old",
        )
    if not entity.strip():
        raise NoriaError("an empty text names no case", where="--entity", fix=f"give a value of `{column}`")
    if column in privacy.hash:
        return EntityNames((entity, _hashed(entity, column)))
    if column in privacy.drop:
        return EntityNames((entity,), f"`{column}` is not kept now, so newer rows name nobody")
    if column in privacy.truncate:
        length = privacy.truncate[column]
        return EntityNames(
            (entity,), f"only {length} characters of `{column}` are kept now, so newer rows name no single case"
        )
    return EntityNames((entity,))


def _hashed(entity: str, column: str) -> str:
    key = key_from_environment()
    if key is None:
        raise NoriaError(
            f"`{column}` is kept as a keyed hash, and without the key nothing of this case can be found",
            where=f"environment variable {KEY}",
            fix=f"set {KEY} to the key that the service runs with",
        )
    return str(keyed_hash(key, column, entity))
