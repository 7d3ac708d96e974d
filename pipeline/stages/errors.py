"""The one error a stage raises for what a user can understand."""


class StageError(Exception):
    """A stage could not do its work.

    Parameters
    ----------
    message : str
        One sentence for the user: what is wrong and what to do.
    permanent : bool
        True where trying again cannot help (a private video), False where it may (a network failure).
    """

    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
