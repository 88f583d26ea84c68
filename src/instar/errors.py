"""The one exception that is meant for the person at the keyboard."""


class UserError(ValueError):
    """A mistake of the user: one line that says what is wrong, where, and what to do.

    The command line prints the message without a traceback and exits with status 2.
    """
