"""What a person can understand and act on."""


class AnnotationError(Exception):
    """One sentence for the user: what is wrong and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LeaseLost(AnnotationError):  # noqa: N818 - the name says what happened
    """The slot is no longer held by the person who acts on it."""


class CampaignClosed(AnnotationError):  # noqa: N818 - the name says what happened
    """The campaign takes no votes, and what belongs to voting, any more."""
