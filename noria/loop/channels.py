"""Where the loop's messages go: webhooks by themselves, everything else through Apprise."""

import importlib
import importlib.util
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from noria.config import expand_environment
from noria.system import progress
from noria.system.errors import NoriaError

_WEBHOOK = ("http", "https")
_WHERE = "loop.alert.urls"
_TIMEOUT_S = 15.0
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""What a value of the data must not be able to do, such as calling everybody in a channel."""


def check_channels(urls: Sequence[str]) -> None:
    """See that messages can be sent, before there is one.

    Raises:
        NoriaError: an environment variable is not set, an address cannot be read, or Apprise is missing.
    """
    for number, url in enumerate(urls, 1):
        expanded = expand_environment(url, where=_WHERE)
        address = urlsplit(expanded)
        if not address.scheme or not (address.netloc or address.path):
            raise NoriaError(
                f"address {number} is no URL",
                code="loop.alert_address_invalid",
                where=_WHERE,
                fix="write https://… for a webhook, or an address of Apprise such as mailto://user:password@host",
            )
        if address.scheme not in _WEBHOOK:
            _check_apprise(number, address.scheme, expanded)


def _check_apprise(number: int, scheme: str, address: str) -> None:
    if importlib.util.find_spec("apprise") is None:
        raise NoriaError(
            f"address {number} ({scheme}://…) needs Apprise, which is not installed",
            code="loop.apprise_missing",
            where=_WHERE,
            fix="install the packages of requirements-alerts.lock (the extra `alerts`); or name a webhook (https://…), "
            "which needs nothing",
        )
    if not _quiet_apprise().Apprise().add(address):
        raise NoriaError(
            f"Apprise cannot read address {number} ({scheme}://…)",
            code="loop.alert_address_invalid",
            where=_WHERE,
            fix="compare it with the form that Apprise documents for this service",
        )


def send(urls: Sequence[str], text: str) -> bool:
    """Send a text to all addresses; what goes wrong is a warning. True: all of them, if there are any, took it."""
    arrived = [
        _sent(number, url, text) for number, url in enumerate(urls, 1)
    ]  # one that fails does not stop the others
    return all(arrived)


def _sent(number: int, url: str, text: str) -> bool:
    try:
        address = expand_environment(url, where=_WHERE)
        if urlsplit(address).scheme in _WEBHOOK:
            _post(address, text)
        else:
            _notify(address, text)
    except Exception as error:  # of any library; its text may quote the address, which holds secrets
        said = error.what if isinstance(error, NoriaError) else type(error).__name__
        progress.warn(f"address {number} of {_WHERE} could not be reached ({said})")
        return False
    return True


def _post(address: str, text: str) -> None:
    host = urlsplit(address).hostname or ""
    body = text.translate(_SLACK) if host.endswith("slack.com") else text
    answer = httpx.post(address, json={"text": body}, timeout=_TIMEOUT_S)
    if not answer.is_success:
        raise NoriaError(f"it answered {answer.status_code}", code="loop.alert_refused", where=host)


def _notify(address: str, text: str) -> None:
    apprise = _quiet_apprise()
    title, _, body = text.partition("\n")
    notifier = apprise.Apprise()
    if not notifier.add(address) or not notifier.notify(title=title, body=body or title):
        raise NoriaError("Apprise could not deliver it", code="loop.alert_refused", where=_WHERE)


def _quiet_apprise() -> Any:
    """Apprise, without its own log, which may quote addresses."""
    apprise = importlib.import_module("apprise")
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    return apprise
