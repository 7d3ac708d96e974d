"""Sound and waveforms, for the players of the pipeline's pages."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from crossmodal import byte_ranges
from crossmodal.byte_ranges import UnsatisfiableRangeError
from crossmodal.roles import admin_required
from pipeline import files
from pipeline.models import Segment, Video
from pipeline.stages import audio
from pipeline.stages.errors import StageError

CHUNK_BYTES = 64 * 1024
# Players ask for all that follows and then read slowly. A partial answer may be shorter than asked (RFC 9110, 15.3.7):
# the player asks again, and no thread of the web server waits for it.
MAX_RANGE_BYTES = 1024**2
# A file's name in storage changes whenever its content does.
KEEP = "private, max-age=86400"
# Of a stored recording, by its ending: former versions stored FLAC.
CONTENT_TYPES = {".wav": "audio/wav", ".flac": "audio/flac"}


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """The span to answer with, or None for the whole file. Raises UnsatisfiableRangeError."""
    span = byte_ranges.parse_range(header, size)
    return span and (span[0], min(span[1], span[0] + MAX_RANGE_BYTES))


def _bytes_between(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while start < end and (chunk := file.read(min(CHUNK_BYTES, end - start))):
            start += len(chunk)
            yield chunk


@require_safe
@admin_required
def video_audio(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The whole recording as it is stored; players seek in it by HTTP ranges."""
    video = get_object_or_404(Video.objects.only("audio"), pk=pk)
    if not video.audio:
        raise Http404("This video has no audio yet.")
    try:
        video.audio.path  # noqa: B018
    except NotImplementedError:  # object storage answers ranges itself
        return HttpResponseRedirect(video.audio.url)
    name = PurePosixPath(str(video.audio.name))
    size, etag, content_type = video.audio.size, f'"{name.stem}"', CONTENT_TYPES.get(name.suffix, "audio/wav")
    wanted = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        wanted = ""
    response: HttpResponseBase
    try:
        span = parse_range(wanted, size)
    except UnsatisfiableRangeError:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        file = video.audio.open("rb")
        if span is None:
            response = FileResponse(file, content_type=content_type)
        else:
            response = StreamingHttpResponse(_bytes_between(file, *span), status=206, content_type=content_type)
            response["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{size}"
            response["Content-Length"] = str(span[1] - span[0])
        response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = KEEP
    return response


@require_safe
@admin_required
def video_peaks(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The waveform's lowest and highest sample per bin, as the fetching job stored it."""
    video = get_object_or_404(Video.objects.only("peaks"), pk=pk)
    if not video.peaks:
        raise Http404("This video has no waveform yet.")
    return FileResponse(video.peaks.open("rb"), content_type="application/json", headers={"Cache-Control": KEEP})


@require_safe
@admin_required
def segment_clip(request: HttpRequest, pk: int) -> HttpResponse:
    """Exactly one segment, as a WAV file."""
    segment = get_object_or_404(Segment.objects.select_related("video"), pk=pk)
    if not segment.video.audio:
        raise Http404("This video has no audio yet.")
    try:
        with files.local_path(segment.video.audio) as path:
            content = audio.slice_wav(path, segment.start_ms, segment.end_ms)
    except StageError as error:
        raise Http404(str(error)) from error
    return HttpResponse(content, content_type="audio/wav", headers={"Cache-Control": "private, max-age=3600"})
