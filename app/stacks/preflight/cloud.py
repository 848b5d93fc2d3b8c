"""The preflight of a cloud: may this identity write where artifacts lie, and is the image in the registry?"""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.images.registry import RegistryLogin, RegistryResponse, ask_for_image
from app.images.registry_login import login
from app.stacks.definition import Component, PreflightFinding, StackFile
from noria.system.errors import first_line


@dataclass(frozen=True)
class CloudProvider:
    """What to do about the commonest trouble."""

    sign_in: str
    policy: str
    lock: str


_AMAZON = CloudProvider("aws sso login", "deploy/policies/aws/submit.json", "requirements-aws.lock")
_CLOUDS = {
    "s3": _AMAZON,
    "aws": _AMAZON,
    "azure": CloudProvider("az login", "deploy/policies/azure/submit.json", "requirements-azure.lock"),
    "gcp": CloudProvider(
        "gcloud auth application-default login", "deploy/policies/gcp/submit.yaml", "requirements-gcp.lock"
    ),
}
_NOBODY = ("credential", "authenticationerror", "access key", "security token", "signature", "authenticationfailed")
_FORBIDDEN = ("permission", "forbidden", "denied", "authorization", "403")
_MISSING = ("filenotfound", "nosuchbucket", "notfound", "404")


def is_cloud(component: Component) -> bool:
    """Is it kept by Amazon, Azure or Google, so that this module can look at it?"""
    return component.flavor in _CLOUDS and component.type in {"artifact_store", "container_registry"}


def packages(integration: str) -> str | None:
    """Where the packages of an integration of ZenML come from; None: it is none of a cloud."""
    return f"{_CLOUDS[integration].lock} into an environment of its own" if integration in _CLOUDS else None


def cloud_findings(component: Component, model: Any, config: Any, stack: StackFile) -> Iterator[PreflightFinding]:
    """What keeps this identity from using the component; looking costs a few requests and leaves nothing behind."""
    if component.type == "artifact_store":
        yield from _store(component, model, config)
    else:
        yield from _image(component, str(config.uri), stack)


def _store(component: Component, model: Any, config: Any) -> Iterator[PreflightFinding]:
    """A small file is written, read and removed."""
    path = f"{config.path}/noria-check-{uuid.uuid4().hex}"
    try:
        store = _instance(component, model, config)
        with store.open(path, "wb") as file:
            file.write(b"noria")
        with store.open(path, "rb") as file:
            file.read()
        store.remove(path)
    except Exception as error:  # each SDK has its own, and they share no base
        yield PreflightFinding(
            f"{component.title}: {config.path} cannot be used: {_said(error)}", _fix(component, error)
        )


def _image(component: Component, uri: str, stack: StackFile) -> Iterator[PreflightFinding]:
    """Log in to the registry as a node would, and look for the image of the stack."""
    try:
        who: RegistryLogin = login(component.flavor, uri)
    except Exception as error:  # as above
        yield PreflightFinding(f"{component.title}: no login works for {uri}: {_said(error)}", _fix(component, error))
        return
    for image in dict.fromkeys(stack.noria.filled(os.environ).images):
        if image.startswith(f"{uri}/"):
            yield from _answered(component, image, ask_for_image(image, who))
        else:
            yield PreflightFinding(f"noria.image: `{image}` is not in the registry {uri}", f"push it there, as {uri}/…")


def _answered(component: Component, image: str, answer: RegistryResponse) -> Iterator[PreflightFinding]:
    cloud = _CLOUDS[component.flavor]
    if answer.status == 404:
        yield PreflightFinding(f"noria.image: the registry has no `{image}`", "docker push it, see docs/clouds.md")
    elif answer.status in {401, 403}:
        yield PreflightFinding(
            f"{component.title}: the registry refuses to show `{image}` ({answer.status})",
            f"give this identity what {cloud.policy} says",
        )
    elif answer.status != 200:
        yield PreflightFinding(f"{component.title}: {answer.said}", "check `uri` and the network")


def _instance(component: Component, model: Any, config: Any) -> Any:
    """ZenML's own artifact store, which need not be registered for that."""
    from zenml.enums import StackComponentType
    from zenml.stack import Flavor

    now = datetime.now(UTC)
    return Flavor.from_model(model).implementation_class(
        name=component.name,
        id=uuid.uuid4(),
        config=config,
        flavor=component.flavor,
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=now,
        updated=now,
    )


def _fix(component: Component, error: BaseException) -> str:
    cloud, kind = _CLOUDS[component.flavor], f"{type(error).__name__} {error}".lower()
    if isinstance(error, ImportError):
        return f"install {packages(component.flavor)}"
    if any(word in kind for word in _NOBODY):
        return f"say who you are: {cloud.sign_in}, or the role of this machine"
    if any(word in kind for word in _FORBIDDEN):
        return f"give this identity what {cloud.policy} says"
    if any(word in kind for word in _MISSING):
        return "make it, or correct its name: docs/clouds.md"
    return "check the name and the network"


def _said(error: BaseException) -> str:
    return first_line(error)[:300]
