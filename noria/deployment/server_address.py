"""Can a server listen at its address? Asked before it starts, and before a running one is ended for it."""

import errno
import socket

import psutil

from noria.deployment.deployment_state import Deployment
from noria.deployment.server_settings import ServerSettings
from noria.system.errors import NoriaError
from noria.system.processes import alive, listener

_ALL = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


def require_port(settings: ServerSettings, before: Deployment | None = None) -> None:
    """Check that a server can listen at the address of its settings.

    Args:
        settings: of the server.
        before: a running server that will be ended first, so what it holds counts as free.

    Raises:
        NoriaError: it cannot.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if before is not None and error.errno == errno.EADDRINUSE and _is_held_by(before, settings):
                return
            owner = listener(settings.port)
            raise NoriaError(
                f"the server cannot listen on port {settings.port}: {error.strerror}"
                + (f" by {owner}" if owner else ""),
                code="deployment.port_taken",
                where=f"{settings.host}:{settings.port}",
                fix="stop that process, or choose another serving.port",
            ) from error


def _is_held_by(server: Deployment, settings: ServerSettings) -> bool:
    """Whether this server alone is in the way, as far as the system shows."""
    if server.settings.port != settings.port:
        return False
    if server.is_remote or server.settings.image:  # Docker holds the port for it
        return True
    try:
        process = alive(server.process)
        own = set() if process is None else {process.pid, *(child.pid for child in process.children(recursive=True))}
        found = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    except psutil.Error:
        return True
    listening = {
        each.laddr.ip for each in found if each.laddr and each.laddr.port == settings.port and each.pid not in own
    }
    others = listening - {server.settings.host}  # it has that one, though the system may not tell
    return not others if settings.host in _ALL else not others & {settings.host, *_ALL}
