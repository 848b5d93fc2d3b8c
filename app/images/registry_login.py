"""Who this machine is to the container registry of a cloud; each SDK is imported only where it is used."""

import base64
import re

import httpx

from app.images.registry import RegistryLogin

_SECONDS = 10.0


def login(flavor: str, uri: str) -> RegistryLogin:
    """A user and a short-lived password, from the identity that the cloud gives this machine.

    Raises:
        Exception: what the SDK of the cloud raises if there is no identity, or it may not log in.
    """
    return {"aws": _amazon, "azure": _azure, "gcp": _google}[flavor](uri)


def _amazon(uri: str) -> RegistryLogin:
    import boto3

    region = re.search(r"\.ecr\.([a-z0-9-]+)\.", uri)
    client = boto3.Session().client("ecr", region_name=region[1] if region else None)
    given = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(given).decode().partition(":")
    return RegistryLogin(user, password)


def _azure(uri: str) -> RegistryLogin:
    from azure.identity import DefaultAzureCredential

    host = uri.split("/", maxsplit=1)[0]
    token = DefaultAzureCredential().get_token("https://management.azure.com/.default").token
    asked = {"grant_type": "access_token", "service": host, "access_token": token}
    answer = httpx.post(f"https://{host}/oauth2/exchange", data=asked, timeout=_SECONDS).raise_for_status()
    return RegistryLogin("00000000-0000-0000-0000-000000000000", str(answer.json()["refresh_token"]))


def _google(_: str) -> RegistryLogin:
    import google.auth
    from google.auth.transport.requests import Request

    credentials, _project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    credentials.refresh(Request())
    return RegistryLogin("oauth2accesstoken", str(credentials.token))
