"""URL to audio and caption files, with yt-dlp.

Only the adapter `pipeline.stages.ytdlp` imports yt-dlp, and this module imports the adapter on first use.
"""

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pipeline.stages.addresses import normalise, origin_of
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.errors import StageError
from pipeline.stages.list_addresses import YOUTUBE_VIDEO_ID, is_youtube, not_one_video
from pipeline.stages.progress import ProgressCallback, ignore_progress
from pipeline.stages.site_text import one_line

GENERIC: Final = "generic"
YOUTUBE: Final = "youtube"
MAX_ID_LENGTH = 255  # the width of the column that keeps it


@dataclass(frozen=True)
class VideoIdentity:
    """Which video an address means, the same for all its spellings.

    Attributes
    ----------
    extractor : str
        Name of the site as yt-dlp knows it, "generic" for a page of no known site.
    extractor_id : str
        The site's id of the video; for a generic page its normalised address.
    url : str
        Canonical address.
    """

    extractor: str
    extractor_id: str
    url: str


@dataclass(frozen=True)
class DownloadLimits:
    """What a download may cost.

    Attributes
    ----------
    max_duration_s : float
        Seconds of recording.
    max_bytes : int
    socket_timeout_s : float
        Seconds without an answer.
    max_fetch_s : float
        Seconds that the recording may take at the rate at which it comes. A job that fetches ends after three hours,
        and the recording is decoded and searched for speech in the same time.
    patience_s : float
        Seconds before a rate is judged.
    max_lookup_s : float
        Seconds for everything that comes before the recording, and again for the captions. YouTube takes half a minute
        on a slow machine.
    min_rate_bytes_s : float
        Bytes a second below which nothing is waited for: less than any codec carries speech by (8 kbit/s).
    """

    max_duration_s: float
    max_bytes: int
    socket_timeout_s: float = 20
    max_fetch_s: float = 2 * 3600
    patience_s: float = 60
    max_lookup_s: float = 300
    min_rate_bytes_s: float = 1000


@dataclass(frozen=True)
class Download:
    """What one extraction brought.

    Attributes
    ----------
    audio_path : Path
        The best audio stream as the site has it, in any container.
    captions_path : Path or None
        English captions (json3, VTT or SRT), or None where the site has none or did not hand them out.
    captions_kind : str
        "manual", "automatic" or "" as the site says.
    title : str
    duration_s : float or None
        As the site says.
    identity : VideoIdentity
        Of the page that the address finally led to.
    captions_error : StageError or None
        Why captions that the site has could not be fetched; they may come later. A CaptionsTokenError where the site
        wants a token for them. None where there are captions, and where the site has none.
    """

    audio_path: Path
    captions_path: Path | None
    captions_kind: str
    title: str
    duration_s: float | None
    identity: VideoIdentity
    captions_error: StageError | None = None


@dataclass(frozen=True)
class Captions:
    """English captions of a video, fetched alone; see `Download` for the attributes."""

    path: Path | None
    kind: str
    error: StageError | None = None


def identify(url: str) -> VideoIdentity:
    """Say which video an address means, without any network.

    Raises
    ------
    ListAddressError
        It means a list: a playlist, a channel or the like.
    StageError
        It is no web address, or means nothing of that site.

    Examples
    --------
    >>> identify("https://youtu.be/i4b-_bNsajY?t=56").url
    'https://www.youtube.com/watch?v=i4b-_bNsajY'
    """
    canonical = normalise(url)
    if is_youtube(canonical):
        return _identify_youtube(canonical)
    return _identify_elsewhere(canonical)


def _identify_youtube(url: str) -> VideoIdentity:
    """YouTube spells one video in many ways; a playlist beside it does not matter."""
    from pipeline.stages.ytdlp_sites import youtube_id

    parts = urlsplit(url)
    video = parse_qs(parts.query).get("v", [""])[0]
    address = f"https://www.youtube.com/watch?v={video}" if video else parts._replace(query="", fragment="").geturl()
    found = youtube_id(address)
    written = video or urlsplit(address).path.rstrip("/").rpartition("/")[2]
    if not found or not YOUTUBE_VIDEO_ID.fullmatch(written) or found != written:
        sentence = f"{url} is not the address of one YouTube video; open the video and copy its address."
        raise not_one_video(url, sentence)
    return VideoIdentity(YOUTUBE, found, f"https://www.youtube.com/watch?v={found}")


@functools.lru_cache(maxsize=1024)
def _identify_elsewhere(url: str) -> VideoIdentity:
    from pipeline.stages.ytdlp_sites import find_extractor

    site = find_extractor(url)
    if site is None:
        return VideoIdentity(GENERIC, url if len(url) <= MAX_ID_LENGTH else sha256(url.encode()).hexdigest(), url)
    if site.is_list or not site.video_id:
        raise not_one_video(url, f"{url} is not the address of one video.")
    return VideoIdentity(site.name.lower()[:80], site.video_id[:MAX_ID_LENGTH], url)


def download(
    url: str,
    *,
    folder: Path,
    limits: DownloadLimits,
    progress: ProgressCallback = ignore_progress,
    private_origins: Collection[str] = (),
    options: DownloadOptions | None = None,
    check_page: Callable[[str], object] | None = None,
) -> Download:
    """Fetch the best audio stream and the English captions of one video, in one extraction.

    Captions that cannot be fetched do not fail the download, see `Download.captions_error`. People's captions come
    before automatic ones, json3 before VTT before SRT. Every connection is checked: only public addresses are opened,
    whatever the page or a redirect says.

    Parameters
    ----------
    url : str
        A video's address.
    folder : Path
        An empty folder; both files get fixed names in it.
    limits : DownloadLimits
    progress : callable
        Called with (bytes so far, bytes in all or 0) of the audio.
    private_origins : collection of str
        Origins ("http://127.0.0.1:8799") that are opened although they are not public, when the page is on them.
    options : DownloadOptions
        Runtime, cookies, proxy and the like; those of a fresh installation if not given.
    check_page : callable or None
        Raises a StageError for a page that may not be opened. It is called for each page that the address leads to,
        by a redirect or as the page that holds the recording; recordings and captions may lie on other public hosts.

    Raises
    ------
    StageError
        Permanent: private, removed, blocked here, not supported, over a limit. Not permanent: network failures,
        HTTP 5xx, formats that could not be unlocked.
    SiteRefusesError
        The site wants a pause (HTTP 429, a rate limit) or a proof that this is no bot.
    """
    from pipeline.stages.ytdlp import fetch

    origin = origin_of(url)
    allowed = origin if origin in private_origins else None
    found = fetch(
        url,
        folder=folder,
        limits=limits,
        progress=progress,
        allowed_origin=allowed,
        options=options or DownloadOptions(),
        check_page=check_page,
    )
    duration = found.info.get("duration")
    return Download(
        audio_path=found.audio_path,
        captions_path=found.captions.path,
        captions_kind=found.captions.kind,
        title=_title(found.info),
        duration_s=float(duration) if isinstance(duration, int | float) and duration > 0 else None,
        identity=_identity(url, str(found.info.get("webpage_url") or url)),
        captions_error=found.captions.error,
    )


def download_captions(
    url: str,
    *,
    folder: Path,
    limits: DownloadLimits,
    private_origins: Collection[str] = (),
    options: DownloadOptions | None = None,
    check_page: Callable[[str], object] | None = None,
) -> Captions:
    """Fetch the English captions of one video without its recording; parameters and errors as of `download`."""
    from pipeline.stages.ytdlp import fetch_captions

    origin = origin_of(url)
    allowed = origin if origin in private_origins else None
    found = fetch_captions(
        url,
        folder=folder,
        limits=limits,
        allowed_origin=allowed,
        options=options or DownloadOptions(),
        check_page=check_page,
    )
    return Captions(found.path, found.kind, found.error)


def _identity(url: str, page: str) -> VideoIdentity:
    """The video that an address led to; a file of an archive.org item stays that file, whatever its page is."""
    asked, found = identify(url), identify(page)
    is_part = asked.extractor == found.extractor != GENERIC and asked.extractor_id.startswith(f"{found.extractor_id}/")
    return asked if is_part else found


def _title(info: dict[str, Any]) -> str:
    title = one_line(info.get("title"))
    if info.get("extractor_key") in ("Generic", "HTML5MediaEmbed"):
        title = title.removesuffix(" (1)")  # yt-dlp numbers the recordings of a page, also a single one
    return title
