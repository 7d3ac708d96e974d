"""A clip as an HTTP response that players can seek in."""

import re

from django.http import HttpRequest, HttpResponse

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def clip_response(request: HttpRequest, wav: bytes) -> HttpResponse:
    """The whole clip, or the one byte range asked for (RFC 9110 §14); kept by no cache and naming nothing.

    Safari plays only what answers ranges, and Chromium replays only what it can seek in.
    """
    match = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    start, end, status = 0, len(wav) - 1, 200
    if match and any(match.groups()):
        first, last = match.groups()
        start = int(first) if first else max(0, len(wav) - int(last))
        end = min(int(last), end) if first and last else end
        status = 206 if start <= end else 416
    response = HttpResponse(b"" if status == 416 else wav[start : end + 1], content_type="audio/wav", status=status)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    if status == 206:
        response["Content-Range"] = f"bytes {start}-{end}/{len(wav)}"
    elif status == 416:
        response["Content-Range"] = f"bytes */{len(wav)}"
    return response
