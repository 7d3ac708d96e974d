"""The YoutubeDL of everything here: guarded connections, counted answers, allowed pages, no programs."""

import logging
import re
import struct
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.parsers import expat

from yt_dlp import YoutubeDL
from yt_dlp.extractor import get_info_extractor
from yt_dlp.utils import unsmuggle_url

from pipeline.stages.download_errors import NOTHING_KNOWN, Evidence, explain
from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.download_verdicts import TRY_LATER
from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_guard import guarded_handler
from pipeline.stages.ytdlp_limits import Meter
from pipeline.stages.ytdlp_programs import confined

log = logging.getLogger(__name__)

# Raises a StageError for a page that may not be opened.
PageCheck = Callable[[str], object]
# What reading a page fails with that is not written as it was expected.
ODD_CONTENT: Final = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(EOFError, HTTPException, StopIteration, SyntaxError, expat.ExpatError, re.error, struct.error, zlib.error),
)


class GuardedYoutubeDL(YoutubeDL):  # type: ignore[misc]
    """A YoutubeDL that opens public addresses only, keeps to a meter, and follows to allowed pages only.

    Parameters
    ----------
    params : dict
    options : DownloadOptions
    meter : Meter
    allowed_origin : str or None
        An origin that is opened although it is not public.
    check_page : callable or None
        Called with the address of each page that the first one leads to, by a redirect or as the page that holds the
        recording. What such a page names as its recording or captions, and what a site's extractor asks of the site's
        own services, is not asked about.
    """

    def __init__(
        self,
        params: dict[str, Any],
        *,
        options: DownloadOptions,
        meter: Meter,
        allowed_origin: str | None,
        check_page: PageCheck | None,
    ) -> None:
        self.meter = meter
        self._runtime = options.js_runtime
        self._allowed_origin = allowed_origin
        self._check_page = check_page
        self._page = ""
        self._family = ""
        super().__init__(params)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Everything that a site has a say in happens in this ``with`` block."""
        with confined(self._runtime), self.meter.watched():
            yield

    def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
        guarded = guarded_handler(self._allowed_origin, self.meter)
        return super().build_request_director([guarded], preferences)

    def extract_info(self, url: str, download: bool = True, ie_key: str | None = None, *args: Any, **named: Any) -> Any:
        address = str(unsmuggle_url(url)[0])
        if self._page and self._check_page:
            self._check_handed_over(address, ie_key, self._check_page)
        self._page = address
        return super().extract_info(url, download, ie_key, *args, **named)

    def get_info_extractor(self, ie_key: str) -> Any:
        self._family = ie_family(ie_key)
        return super().get_info_extractor(ie_key)

    def urlopen(self, req: Any) -> Any:
        response = super().urlopen(req)
        asked = req if isinstance(req, str) else req.url
        if self._check_page and asked == self._page and urlsplit(response.url).netloc != urlsplit(asked).netloc:
            self._check_page(response.url)
        return response

    def _check_handed_over(self, address: str, ie_key: str | None, check_page: PageCheck) -> None:
        """A page says where its recording is: at another address, or as an id that one extractor understands."""
        if urlsplit(address).scheme.lower() in ("http", "https"):
            check_page(address)
            return
        family = ie_family(ie_key) if ie_key else ""
        if family == "youtube":
            check_page("https://www.youtube.com/")
        elif not family or family != self._family:
            shown = family or address[:80]
            raise StageError(f"The page leads to a recording on another site ({shown}); give its address there.")


def ie_family(ie_key: str) -> str:
    """Return the site of an extractor, the same for all extractors of that site."""
    return str(get_info_extractor(ie_key).IE_NAME).partition(":")[0].lower()


def explain_extraction(error: BaseException, evidence: Evidence = NOTHING_KNOWN) -> StageError:
    """Return a StageError for whatever yt-dlp raised at a site; see `explain` for what is raised instead."""
    try:
        return explain(error, evidence)
    except ODD_CONTENT:
        if (odd := odd_content(error)) is None:
            raise
        log.info("yt-dlp stumbled over what a site sent", exc_info=error)
        return odd


def odd_content(error: BaseException) -> StageError | None:
    """Return the error for content that yt-dlp stumbles over; None for a fault in this program.

    A page may be written so that reading it fails in any way. The last step in yt-dlp or in this program tells whose
    step it was.
    """
    if not isinstance(error, ODD_CONTENT):
        return None
    files = [frame.f_code.co_filename.replace("\\", "/") for frame, _ in traceback.walk_tb(error.__traceback__)]
    steps = [file for file in files if "/yt_dlp/" in file or "/pipeline/" in file]
    is_no_xml = isinstance(error, ElementTree.ParseError)  # found by our look at it, before yt-dlp's own
    if not is_no_xml and (not steps or "/yt_dlp/" not in steps[-1]):
        return None
    name = type(error).__name__
    shown = f" ({name})" if name.lower() != "error" else ""  # some libraries give no better name
    return StageError(f"The site's page could not be read{shown}; {TRY_LATER}", permanent=False)
