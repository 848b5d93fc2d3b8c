"""What the service reads from its environment."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from noria.config.serving import LimitsConfig, ServingConfig
from noria.system.errors import NoriaError
from service.variables import PREDICTIONS_URL, SERVICE_DIR, SERVING, SPOOL_DIR

PRIVACY_KEY = "NORIA_PRIVACY_KEY"
FIXED = "NORIA_TRAFFIC_FIXED"
"""Set where several servers have the same order in their image, so that none of them may follow another one."""
TOKENS = {"predict": "NORIA_PREDICT_TOKEN", "feedback": "NORIA_FEEDBACK_TOKEN", "admin": "NORIA_ADMIN_TOKEN"}
"""What may be done → the variable with the token that it takes."""
_SHORTEST = 16
_MAKE = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"


@dataclass(frozen=True)
class Settings:
    """The environment, read once when a process starts."""

    service_dir: Path | None
    """Where orders come from and reports go; None: the bundle that was built in answers, and nothing changes that."""
    spool_dir: Path
    predictions_url: str = field(repr=False)
    serving: ServingConfig
    tokens: dict[str, str] = field(repr=False)
    """What may be done → its token; without an entry everybody may."""
    privacy_key: bytes | None = field(repr=False)
    is_fixed: bool = False
    """Only its own canary changes who answers."""

    @property
    def limits(self) -> LimitsConfig:
        """What requests may ask for."""
        return self.serving.limits

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the variables.

        Raises:
            NoriaError: one is missing or wrong.
        """
        folder = service_dir()
        url = os.environ.get(PREDICTIONS_URL)
        if not url:
            raise NoriaError(
                "no place is named where predictions are kept",
                code="predictions.url_missing",
                where=f"environment variable {PREDICTIONS_URL}",
                fix=f"set {PREDICTIONS_URL} to a SQLAlchemy URL, such as sqlite:////data/predictions.db",
            )
        spool = os.environ.get(SPOOL_DIR) or (str(folder / "spool") if folder else "")
        if not spool:
            raise NoriaError(
                "no place is named where answers wait for the prediction store",
                code="spool.folder_missing",
                where=f"environment variable {SPOOL_DIR}",
                fix=f"set {SPOOL_DIR} to a folder on a disk that outlives the process",
            )
        key = os.environ.get(PRIVACY_KEY)
        return cls(
            service_dir=folder,
            spool_dir=Path(spool),
            predictions_url=url,
            serving=serving_from(os.environ.get(SERVING, "")),
            tokens=_tokens(),
            privacy_key=key.encode() if key else None,
            is_fixed=bool(os.environ.get(FIXED)),
        )


def service_dir() -> Path | None:
    """Where orders come from and reports go."""
    folder = os.environ.get(SERVICE_DIR)
    return Path(folder) if folder else None


def serving_from(text: str) -> ServingConfig:
    """The `serving` section as JSON; empty: the defaults.

    Raises:
        NoriaError: it is not what Noria writes.
    """
    try:
        return ServingConfig.model_validate_json(text) if text else ServingConfig()
    except ValidationError as error:
        raise NoriaError(
            f"the settings cannot be read: {error}",
            code="service.settings_unreadable",
            where=SERVING,
            fix="deploy again",
        ) from error


def _tokens() -> dict[str, str]:
    found = {scope: token for scope, name in TOKENS.items() if (token := os.environ.get(name))}
    for scope, token in found.items():
        if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
            raise NoriaError(
                f"the token is none: it needs at least {_SHORTEST} letters, digits or signs, and no blank",
                code="service.token_weak",
                where=f"environment variable {TOKENS[scope]}",
                fix=_MAKE,
            )
    if found and len(found) < len(TOKENS):
        lacking = ", ".join(name for scope, name in TOKENS.items() if scope not in found)
        raise NoriaError(
            "some tokens are set and others are not, so a part of the service would be open",
            code="service.tokens_incomplete",
            where=lacking,
            fix="set all three, or none",
        )
    if len(set(found.values())) < len(found):
        raise NoriaError(
            "the same token is set twice, so that one opens what another one should guard",
            code="service.tokens_equal",
            where=f"environment variables {', '.join(TOKENS.values())}",
            fix=f"set each to a token of its own; {_MAKE}",
        )
    return found
