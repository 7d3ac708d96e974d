"""Captions that a site has and keeps back: the recording is kept meanwhile, and they are asked for again, alone."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.utils import timezone

from pipeline import job_limits
from pipeline.choices import VideoState
from pipeline.claims import finish, leave, show
from pipeline.download_settings import download_limits, download_options
from pipeline.hosts import check_host, private_origins
from pipeline.models import Video
from pipeline.pacing import Turn, asking
from pipeline.stages.download import Captions, download_captions
from pipeline.stages.errors import SiteRefusesError, StageError

HOUR: Final = 3600
# The first pause is as long as YouTube limits a session; all of them together are four days.
CAPTIONS_PAUSES_S: Final = tuple(HOUR * hours for hours in (1, 2, 4, 8, 16, 24, 24, 24))
KEPT = "The recording is kept; the captions are asked for again, and can be uploaded meanwhile."


def captions_wait(video: Video, error: StageError) -> dict[str, Any]:
    """Columns of a video whose recording is there and whose captions were kept back: it waits, or waits no more."""
    job_limits.check(error)
    asks = video.captions_asks + 1
    reason = error.message.removesuffix(".")
    if error.permanent or asks > len(CAPTIONS_PAUSES_S):
        told = f"The site kept its captions back, {asks} times by now ({reason}); upload a caption file to go on."
        return {"state": VideoState.NO_CAPTIONS, "error_message": told, "captions_asks": asks, "waits_until": None}
    return {
        "state": VideoState.CAPTIONS_WAIT,
        "error_message": f"{reason}. {KEPT}",
        "captions_asks": asks,
        "waits_until": timezone.now() + timedelta(seconds=CAPTIONS_PAUSES_S[asks - 1]),
    }


def ask_for_captions(video: Video, folder: Path, turn: Turn | None) -> Captions | None:
    """Ask the site for the captions alone; None where it keeps them back, and the video waits on."""
    show(video, "Asking for the captions")
    try:
        check_host(video.url)
        with asking(turn):
            found = download_captions(
                video.url,
                folder=folder,
                limits=download_limits(),
                private_origins=private_origins(),
                options=download_options(),
                check_page=check_host,
            )
    except SiteRefusesError as refusal:
        # Not an ask: the site rests, and the video keeps its place in line.
        leave(video, VideoState.CAPTIONS_WAIT, error_message=f"{refusal.message} {KEPT}", attempts=0)
        return None
    except StageError as error:
        finish(video, **captions_wait(video, error))
        return None
    if found.error:
        finish(video, **captions_wait(video, found.error))
        return None
    return found


def wait_for_site(video: Video) -> None:
    """Put a video whose captions alone are missing back to wait with them, so that they can be uploaded meanwhile."""
    if video.state == VideoState.QUEUED and video.audio:
        told = f"The captions are asked for as soon as {video.site} is free. {KEPT}"
        video.enter(VideoState.CAPTIONS_WAIT, only_from=[VideoState.QUEUED], waits_until=None, error_message=told)
