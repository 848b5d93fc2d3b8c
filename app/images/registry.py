"""Asking a container registry for an image, as an engine does before it pulls."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

_SECONDS = 10.0
_MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)


@dataclass(frozen=True)
class RegistryLogin:
    """A user of a registry."""

    user: str
    password: str


@dataclass(frozen=True)
class RegistryResponse:
    """What a registry said; status 0: nothing."""

    status: int
    said: str


def ask_for_image(image: str, login: RegistryLogin | None) -> RegistryResponse:
    """Is the image there, and may this user see it? Status 200: yes; 404: it is not there; 401 and 403: no."""
    host, _, rest = image.partition("/")
    repository, tag = _parted(rest)
    scheme = "http" if urlsplit(f"//{host}").hostname in {"localhost", "127.0.0.1"} else "https"
    url = f"{scheme}://{host}/v2/{repository}/manifests/{tag}"
    basic = httpx.BasicAuth(login.user, login.password) if login else httpx.Auth()  # the plain one adds nothing
    try:
        with httpx.Client(timeout=_SECONDS, headers={"Accept": _MANIFESTS}) as http:
            answer = http.head(url, auth=basic)
            if answer.status_code == 401 and "bearer" in answer.headers.get("www-authenticate", "").lower():
                token = _token(http, answer.headers["www-authenticate"], basic)
                answer = http.head(url, headers={"Authorization": f"Bearer {token}"})
    except (httpx.HTTPError, KeyError, ValueError) as error:
        return RegistryResponse(0, f"{url} cannot be reached: {error}")
    return RegistryResponse(answer.status_code, f"{url} answers {answer.status_code}")


def _parted(name: str) -> tuple[str, str]:
    """Repository, and digest or tag."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository.rpartition(":")[0] or repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon else (name, "latest")


def _token(http: httpx.Client, challenge: str, basic: httpx.Auth) -> str:
    """The registry names who gives out tokens; raises KeyError or ValueError if it gives out none."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    answer = http.get(asked.pop("realm"), params=asked, auth=basic).json()
    return str(answer.get("token") or answer["access_token"])
