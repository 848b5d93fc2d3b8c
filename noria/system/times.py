"""Times as people and programs write them."""

from datetime import UTC, datetime


def utc_unless_given(text: str) -> datetime:
    """A time in ISO 8601; one without an offset is in UTC.

    Raises:
        ValueError: it is no time.

    >>> utc_unless_given("2013-03-01").isoformat()
    '2013-03-01T00:00:00+00:00'
    """
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
