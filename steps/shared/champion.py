"""The champion: the bundle of the model version that stands in stage `production`."""

from zenml.client import Client
from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse

from noria.bundle import Bundle
from noria.system.errors import NoriaError
from steps.shared.artifact_download import fetch_bundle

PROMOTED = "promoted"
"""Metadata key of a model version: the name of the artifact that was promoted.

A version that a person has put into `production` by hand may lack it."""


def find_champion(name: str) -> Bundle | None:
    """The promoted bundle of model `name`, or None before the first promotion."""
    version = champion_version(name)
    if version is None:
        return None
    artifact = version.get_artifact(str(version.run_metadata.get(PROMOTED, "challenger")))
    if artifact is None:
        return None
    bundle = fetch_bundle(artifact)
    if bundle is None:
        raise NoriaError(
            f"version {version.number} of {name} holds no bundle",
            code="registry.bundle_missing",
            fix="train and promote again",
        )
    return bundle


def require_champion(name: str) -> Bundle:
    """The promoted bundle of model `name`.

    Raises:
        NoriaError: nothing has been promoted yet.
    """
    bundle = find_champion(name)
    if bundle is None:
        raise _nothing_promoted(name)
    return bundle


def require_champion_version(name: str) -> None:
    """See that there is a champion, without loading it.

    Raises:
        NoriaError: nothing has been promoted yet.
    """
    if champion_version(name) is None:
        raise _nothing_promoted(name)


def champion_version(name: str) -> ModelVersionResponse | None:
    """ZenML's record of the version in stage `production`, if there is one."""
    try:
        return Client().get_model_version(name, ModelStages.PRODUCTION)
    except KeyError:
        return None


def _nothing_promoted(name: str) -> NoriaError:
    return NoriaError(
        f"no model of `{name}` has been promoted yet",
        code="registry.champion_missing",
        fix="train one first: `python run.py train`",
    )
