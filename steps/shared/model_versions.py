"""The model versions of the registries: finding the bundle of a variant, and promoting a version to champion."""

from zenml import log_metadata
from zenml.client import Client
from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse

from noria.bundle import Bundle
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.signals import defer_signals
from steps.shared.artifact_download import fetch_bundle
from steps.shared.champion import PROMOTED, champion_version, require_champion

_MOST = 1000
_TRAIN = "train first: `python run.py train`"


def find_bundle(name: str, model: str) -> Bundle:
    """The bundle that a variant stands for.

    Args:
        name: name of the model.
        model: `champion`, `challenger` (the newest version that was never promoted), `rules` (those that belong to
            the champion's version, or to the newest one), or the number of a version, which stands for its model.

    Raises:
        NoriaError: there is no such bundle.
    """
    if model == "champion":
        return require_champion(name)
    if model == "rules":
        newest = next(iter(_versions(name)), None)
        return _bundle(champion_version(name) or newest, "rules", name)
    version = newest_challenger(name) if model == "challenger" else _numbered(name, model)
    return _bundle(version, "challenger", name)


def promoted_bundle(name: str, version: str) -> Bundle:
    """What a version answered with when it was the champion: its model, or the rules that belong to it.

    Raises:
        NoriaError: there is no such version, or its bundle is gone.
    """
    found = _numbered(name, version)
    return _bundle(found, str(found.run_metadata.get(PROMOTED, "challenger")), name)


def gate_reason(name: str, version: str) -> str:
    """Why the gate did not let the model of a version through; empty: it did, or there was none.

    Raises:
        NoriaError: there is no such version.
    """
    kept = _numbered(name, version).run_metadata
    return str(kept.get("reason", "no reason is kept")) if kept.get("promote", "challenger") != "challenger" else ""


def newest_challenger(name: str, *, above_champion: bool = False) -> ModelVersionResponse:
    """The newest version that was never promoted, if asked for only one that is newer than the champion.

    Raises:
        NoriaError: there is none.
    """
    champion = champion_version(name)
    oldest = champion.number if champion is not None and above_champion else 0
    for version in _versions(name):
        is_new = version.stage in (None, ModelStages.NONE) and version.number > oldest
        if is_new and version.get_artifact("challenger") is not None:
            return version
    newer = " newer than the champion" if above_champion else ""
    raise NoriaError(
        f"`{name}` has no challenger: no version{newer} that was never promoted",
        code="registry.challenger_missing",
        where=f"versions {_listed(name)}",
        fix=f"{_TRAIN}, or name a version with its number",
    )


def promote_version(name: str, number: int, artifact: str) -> None:
    """Promote a version: stage `production` in ZenML and, if the stack has MLflow, the alias `champion`.

    Args:
        name: name of the model.
        number: its version.
        artifact: the bundle that answers: `challenger` or `rules`.

    Raises:
        NoriaError: there is no such version.
    """
    version = _numbered(name, str(number))
    tracker = Client().active_stack.experiment_tracker
    with defer_signals():  # a champion in both registries or in neither
        if tracker is not None and tracker.flavor == "mlflow":
            tracker.configure_mlflow()  # the credentials; the address is handed on, as another run may change that
            _move_alias(name, version.number, tracker.get_tracking_uri())
        log_metadata({PROMOTED: artifact}, model_version_id=version.id)
        version.set_stage(ModelStages.PRODUCTION, force=True)


def _move_alias(name: str, number: int, address: str) -> None:
    import mlflow  # takes a second; the first step need not wait for it

    client = mlflow.MlflowClient(address, address)
    found = client.search_model_versions(f"name = '{name}' and tags.zenml_version = '{number}'")
    if not found:  # trained on a stack with another MLflow
        progress.warn(f"MLflow does not know version {number} of `{name}`; its alias `champion` stays where it was")
        return
    version = max(found, key=lambda each: int(each.version))
    client.set_registered_model_alias(name, "champion", version.version)
    if "challenger" in client.get_model_version(name, version.version).aliases:
        client.delete_registered_model_alias(name, "challenger")


def _versions(name: str) -> list[ModelVersionResponse]:
    """The newest first; none if the model is not known."""
    try:
        page = Client().list_model_versions(model=name, sort_by="desc:number", size=_MOST, hydrate=True)
    except KeyError:
        return []
    return list(page.items)


def _numbered(name: str, number: str) -> ModelVersionResponse:
    for version in _versions(name):
        if str(version.number) == number:
            return version
    raise NoriaError(
        f"`{name}` has no version {number}",
        code="registry.version_unknown",
        where=f"versions {_listed(name)}",
        fix="name one of those, or `champion`, `challenger` or `rules`",
    )


def _bundle(version: ModelVersionResponse | None, artifact: str, name: str) -> Bundle:
    found = None if version is None else version.get_artifact(artifact)
    bundle = None if found is None else fetch_bundle(found)
    if bundle is None:
        what = f"version {version.number} of `{name}`" if version is not None else f"`{name}`"
        raise NoriaError(
            f"{what} has no bundle `{artifact}`",
            code="registry.bundle_missing",
            where=f"versions {_listed(name)}",
            fix=_TRAIN,
        )
    return bundle


def _listed(name: str) -> str:
    return ", ".join(f"{each.number} ({each.stage or 'none'})" for each in _versions(name)) or "none"
