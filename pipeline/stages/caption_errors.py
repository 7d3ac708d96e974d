"""Captions that a site has and did not hand out: what it is, in one sentence. All of it may pass."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.stages.caption_choice import ENGLISH
from pipeline.stages.download_errors import http_status
from pipeline.stages.errors import CaptionsTokenError, StageError

# A page in place of captions: a consent or an error page that came with status 200.
PAGE: Final = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)
LOOKED_AT_BYTES = 512
BYTE_ORDER_MARKS: Final = b"\xef\xbb\xbf\xff\xfe"
# yt-dlp's warning where YouTube's player demands a token of its origin for captions (a "PO token").
TOKEN: Final = re.compile(r"missing subtitles languages because a PO token was not provided")
WRITTEN: Final = re.compile(r"Subtitles for these languages are missing: ([^.]*)\.")
# It names no languages of automatic captions, so that English ones may be among them.
AUTOMATIC: Final = re.compile(r"Automatic captions for \d+ languages? (?:are|is) missing")
EMPTY: Final = "The site answered with an empty file in place of the captions."
# What yt-dlp's downloaders say of an empty body.
NO_DATA: Final = re.compile(r"did not get any data blocks|downloaded file is empty", re.IGNORECASE)
WANTS_PROOF: Final = (
    "YouTube gives the captions of this video only to a player that proves itself by a token; own cookies "
    "(DOWNLOAD_COOKIES) or uploading a caption file helps."
)


def missing_token(warnings: Sequence[str]) -> CaptionsTokenError | None:
    """Return an error where captions that may be English were left out for want of a token."""
    for warning in warnings:
        if not TOKEN.search(warning):
            continue
        written = WRITTEN.search(warning)
        languages = [name.strip() for name in written[1].split(",")] if written else []
        if AUTOMATIC.search(warning) or any(ENGLISH.fullmatch(name) for name in languages):
            return CaptionsTokenError(WANTS_PROOF)
    return None


def fault_of_captions(path: Path) -> StageError | None:
    """Return an error where a caption file is empty, or a web page in its place."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT_BYTES).lstrip(BYTE_ORDER_MARKS)
    if not head.strip():
        return StageError(EMPTY, permanent=False)
    if PAGE.match(head):
        return StageError("The site answered with a web page in place of the captions.", permanent=False)
    return None


def explain_captions(error: BaseException) -> StageError:
    """Return what kept captions from being fetched."""
    status = http_status(error)
    if status == 429:
        told = "The site wants a pause before it hands out the captions (HTTP 429)."
    elif status:
        told = f"The site does not hand out the captions (HTTP {status})."
    elif NO_DATA.search(str(error)):
        told = EMPTY
    else:
        told = "The connection broke while the captions were fetched."
    return StageError(told, permanent=False)
