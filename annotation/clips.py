"""A clip as an HTTP response that players can seek in."""

from django.http import HttpRequest, HttpResponse

from crossmodal.byte_ranges import UnsatisfiableRangeError, parse_range


def clip_response(request: HttpRequest, wav: bytes) -> HttpResponse:
    """The whole clip, or the one byte range asked for (RFC 9110 §14); kept by no cache and naming nothing.

    Safari plays only what answers ranges, and Chromium replays only what it can seek in.
    """
    start, end, status = 0, len(wav), 200
    try:
        if span := parse_range(request.headers.get("Range", ""), len(wav)):
            (start, end), status = span, 206
    except UnsatisfiableRangeError:
        status = 416
    response = HttpResponse(b"" if status == 416 else wav[start:end], content_type="audio/wav", status=status)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    if status == 206:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{len(wav)}"
    elif status == 416:
        response["Content-Range"] = f"bytes */{len(wav)}"
    return response
