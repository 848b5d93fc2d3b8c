"""Whether an error is caused by the data or by the store."""

from noria.system.errors import NoriaError


def is_about_data(error: BaseException) -> bool:
    """Whether the store would reject the same data again.

    In doubt the store is at fault: the event then waits, and the flusher's heartbeat reports the error.
    """
    from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

    cause = (error.__cause__ or error.__context__) if isinstance(error, NoriaError) else error
    is_unbindable = isinstance(cause, StatementError) and not isinstance(cause, DBAPIError)
    return is_unbindable or isinstance(cause, (DataError, IntegrityError, ValueError, OverflowError))
