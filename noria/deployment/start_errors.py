"""Why a server cannot start: what it said itself, as the error of a command."""

from pathlib import Path

from noria.deployment.server_log import last_lines
from noria.system.errors import NoriaError


def start_refused(said: str, log: Path) -> NoriaError:
    """The error of a server, or of its trial start, that has said why it cannot start.

    Args:
        said: as `noria.system.errors.describe` has written it; the code of a NoriaError is kept.
        log: where more can be read.
    """
    known = NoriaError.parse(said)
    what = f"the server cannot start: {said if known is None else known.what}"
    if known is None:
        return NoriaError(
            what,
            code="deployment.start_failed",
            where=str(log),
            fix="correct that and deploy again; the log may say more",
        )
    return NoriaError(what, code=known.code, where=known.where or str(log), fix=known.fix)


def server_died(log: Path) -> NoriaError:
    """The error of a server that has ended without a word of its own."""
    return NoriaError(
        f"the server died; its last output:\n{last_lines(log)}",
        code="deployment.server_died",
        where=str(log),
        fix="correct what the log reports and deploy again",
    )
