"""Times and spans of time that options give a command."""

from datetime import datetime, timedelta

from noria.config.loop import time_span
from noria.system.errors import NoriaError
from noria.system.times import utc_unless_given


def given_time(text: str | None) -> datetime | None:
    """The time of `--now` in ISO 8601, without an offset in UTC; None: the command goes by the clock.

    Raises:
        NoriaError: it is no time.
    """
    if not text:
        return None
    try:
        return utc_unless_given(text)
    except ValueError as error:
        raise NoriaError(
            f"{text!r} is not a time",
            code="cli.now_invalid",
            where="--now",
            fix="write it as 2013-03-01 or 2013-03-01T12:00:00+01:00",
        ) from error


def given_interval(text: str) -> timedelta:
    """The time between two looks, `--every`.

    Raises:
        NoriaError: it is no span of time.
    """
    try:
        return time_span(text)
    except ValueError as error:
        raise NoriaError(
            str(error), code="loop.interval_invalid", where="--every", fix="write 30m, 1h or 1d"
        ) from error
