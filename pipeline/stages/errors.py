"""The errors a stage raises for what a user can understand."""

from collections.abc import Iterator

from pipeline.stages.site_text import without_unseen

HOUR_S = 3600
# Nobody refused anything: a runtime may be put in place meanwhile, and only some sessions get a new player script.
SETUP_REST_S = 600


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
        # A site's own words may be in it, and it is stored and shown.
        self.message = without_unseen(message)
        self.permanent = permanent


class SiteRefusesError(StageError):
    """A site gives this machine nothing for now, whichever video is asked for.

    Never permanent, and no fault of the video.

    Parameters
    ----------
    message : str
        One sentence for the user: what the site said and what helps.
    rest_s : float
        Seconds for which nothing more is asked of the site after a first refusal. An hour, since that is how long
        YouTube limits a session (yt-dlp's own message says "for up to an hour").
    """

    def __init__(self, message: str, *, rest_s: float = HOUR_S) -> None:
        super().__init__(message, permanent=False)
        self.rest_s = rest_s


class LockedRecordingError(StageError):
    """This machine could not unlock what a site gave: no JavaScript runtime, or a challenge that was not solved.

    Never permanent. It may be so for this video or session alone, so that it counts as a try of the video; where it
    happens twice in a row, the site rests for `rest_s` seconds, lest all videos use up their tries.
    """

    def __init__(self, message: str, *, rest_s: float = SETUP_REST_S) -> None:
        super().__init__(message, permanent=False)
        self.rest_s = rest_s


class CaptionsTokenError(StageError):
    """A site has captions and gives them only to a player that proves itself by a token. Never permanent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


class DiskFullError(StageError):
    """There is no room for what a stage writes. Never permanent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and everything hidden in it, outermost first."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        hidden = [getattr(current, "cause", None), current.__cause__, current.__context__]
        hidden += getattr(current, "unexpected_errors", ())
        exc_info = getattr(current, "exc_info", None)
        if isinstance(exc_info, tuple) and len(exc_info) > 1:
            hidden.insert(0, exc_info[1])
        waiting += [one for one in hidden if isinstance(one, BaseException)]
