"""The one exception that is meant for the person at the keyboard, and others that are his to mend."""

import errno

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class UserError(ValueError):
    """A mistake of the user: one line that says what is wrong, where, and what to do.

    The command line prints the message without a traceback and exits with status 2.
    """


def mistake(error: Exception) -> str | None:
    """The line that tells a person of an error; None for one that is a fault of the program."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and (isinstance(error, PermissionError) or error.errno in NO_ROOM):
        remedy = "free some space" if error.errno in NO_ROOM else "make it accessible, or name another one"
        return f"{error.filename or 'a file'}: {error.strerror}; {remedy}"
    return None
