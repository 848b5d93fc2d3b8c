"""Bundles out of the artifact store, wherever they were put there."""

from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.models import ArtifactVersionResponse

from noria.bundle import Bundle
from noria.system.errors import NoriaError, first_line


def fetch_bundle(artifact: ArtifactVersionResponse) -> Bundle | None:
    """The bundle that an artifact is; None if it is something else.

    Raises:
        NoriaError: it cannot be fetched, such as when the stack that it was made on is no longer registered; or it is
            damaged.
    """
    try:
        found = artifact.load()
    except NoriaError:
        raise
    except Exception as error:  # each kind of store has errors of its own
        raise NoriaError(
            f"the model's bundle cannot be fetched from {_store(artifact)}: {first_line(error)}",
            code="registry.bundle_not_fetched",
            where=artifact.uri,
            fix="use the stack that it was trained on (--stack NAME), or train on this one",
        ) from error
    return found if isinstance(found, Bundle) else None


def _store(artifact: ArtifactVersionResponse) -> str:
    """The artifact store that it lies in, for people."""
    if artifact.artifact_store_id is None:
        return "an artifact store that is no longer registered"
    store = Client().get_stack_component(StackComponentType.ARTIFACT_STORE, artifact.artifact_store_id)
    return f"artifact store `{store.name}`"
