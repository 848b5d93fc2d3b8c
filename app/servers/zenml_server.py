"""Making a fresh ZenML server ready without a person: an administrator, an account for Noria, and that one's key."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from app.servers.env_files import read, write
from noria.system.errors import NoriaError

PASSWORD, ADMIN, ACCOUNT = "NORIA_ZENML_PASSWORD", "default", "noria"
URL, KEY = "ZENML_STORE_URL", "ZENML_STORE_API_KEY"
_SHORTEST = 12
_SECONDS = 30.0
_QUIET = {"enable_analytics": False, "display_announcements": False, "display_updates": False}
_NO_SURVEY = {"email_opted_in": False, "user_metadata": {"finished_onboarding_survey": True}}


def set_up(url: str, output: Path, password: str, others: Mapping[str, str] | None = None) -> list[str]:
    """Activate the server if it is fresh, and write its address with a key for Noria to a file that only you can read.

    Safe to repeat: a key that works is kept, one that does not is made again.

    Args:
        url: the server's address.
        output: the file, with lines NAME=VALUE.
        password: of the administrator; looked at only where there is no key that works.
        others: further variables for the file.

    Returns:
        What was done, in words.

    Raises:
        NoriaError: the server cannot be reached or is no ZenML of this version, the administrator's password is
            missing or wrong, or the file cannot be written.
    """
    address = url.rstrip("/")
    with httpx.Client(base_url=f"{address}/api/v1", timeout=_SECONDS) as client:
        fresh = _is_fresh(client, address)
        wanted = {URL: address, **(others or {})}
        if not fresh and _works(client, output, wanted):
            return []
        _refuse_short(password)
        done = [_activate(client, password)] if fresh else []
        _sign_in(client, address, password)
        key = _key(client)
    write(output, {**wanted, KEY: key})
    return [*done, f"account `{ACCOUNT}` with a new key, in {output}"]


def _is_fresh(client: httpx.Client, address: str) -> bool:
    try:
        facts = client.get("/info").raise_for_status().json()
        server, active = str(facts["version"]), bool(facts["active"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise NoriaError(
            f"no ZenML server answers: {error}",
            code="platform.zenml_unreachable",
            where=address,
            fix="check the address, and that the server has started",
        ) from error
    if server != version("zenml"):
        raise NoriaError(
            f"the ZenML server runs version {server}, and {version('zenml')} is installed here",
            code="platform.zenml_version_differs",
            where=address,
            fix=f"install zenml=={server}, or bring the server to {version('zenml')}",
        )
    return not active


def _works(client: httpx.Client, output: Path, wanted: Mapping[str, str]) -> bool:
    """Does the file say all that, with a key that is still good?"""
    kept = read(output)
    if not kept.get(KEY) or any(kept.get(name) != value for name, value in wanted.items()):
        return False
    return client.post("/login", data={"password": kept[KEY]}).status_code == httpx.codes.OK


def _refuse_short(given: str) -> None:
    if len(given) < _SHORTEST:
        raise NoriaError(
            f"the administrator's password {'has less than ' + str(_SHORTEST) + ' signs' if given else 'is not set'}",
            code="platform.password_missing",
            where=f"environment variable {PASSWORD}",
            fix=f"export {PASSWORD}=$(openssl rand -hex 16), and keep it: it allows everything there",
        )


def _activate(client: httpx.Client, password: str) -> str:
    _asked(client, "PUT", "/activate", {"admin_username": ADMIN, "admin_password": password, **_QUIET})
    return f"activated, with the administrator `{ADMIN}`"


def _sign_in(client: httpx.Client, address: str, password: str) -> None:
    answer = client.post("/login", data={"username": ADMIN, "password": password})
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise NoriaError(
            f"the server refuses the password of its administrator `{ADMIN}`",
            code="platform.password_refused",
            where=address,
            fix=f"set {PASSWORD} to the one that the server was first set up with",
        )
    client.headers["Authorization"] = f"Bearer {_told(answer)['access_token']}"
    _asked(client, "PUT", "/current-user", _NO_SURVEY)


def _key(client: httpx.Client) -> str:
    """A new key of the account; one that it had before is no longer good."""
    found = _asked(client, "GET", f"/service_accounts?name={ACCOUNT}")["items"]
    wanted = {"name": ACCOUNT, "active": True, "description": "Noria's pipelines"}
    account = found[0] if found else _asked(client, "POST", "/service_accounts", wanted)
    keys = f"/service_accounts/{account['id']}/api_keys"
    known = _asked(client, "GET", f"{keys}?name={ACCOUNT}")["items"]
    if known:
        made = _asked(client, "PUT", f"{keys}/{known[0]['id']}/rotate", {"retain_period_minutes": 0})
    else:
        made = _asked(client, "POST", keys, {"name": ACCOUNT})
    return str(made["body"]["key"])


def _asked(client: httpx.Client, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    return _told(client.request(method, path, json=body))


def _told(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise NoriaError(
            f"the ZenML server answers {answer.status_code}: {answer.text[:300]}",
            code="platform.zenml_failed",
            where=f"{answer.request.method} {answer.request.url.copy_with(query=None)}",
            fix="see the server's log",
        )
    return answer.json()
