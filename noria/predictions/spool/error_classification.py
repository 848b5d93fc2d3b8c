"""Is an error about what was to be kept, or about the store?"""

from noria.system.errors import NoriaError


def is_about_data(error: BaseException) -> bool:
    """Would the store refuse this again, however well it works?

    In doubt it is the store: an entry then waits, and the keeper's report says why.
    """
    from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

    cause = (error.__cause__ or error.__context__) if isinstance(error, NoriaError) else error
    is_unbindable = isinstance(cause, StatementError) and not isinstance(cause, DBAPIError)
    return is_unbindable or isinstance(cause, (DataError, IntegrityError, ValueError, OverflowError))
