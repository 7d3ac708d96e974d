"""Which format a caption file has, told by its content, and by its ending where that is unclear."""

from pathlib import Path

from pipeline.stages.captions_json3 import read_json3
from pipeline.stages.captions_text import read_srt, read_vtt
from pipeline.stages.captions_times import TIME_BEGINS, plain_digits
from pipeline.stages.cues import CaptionTrack
from pipeline.stages.normal_text import with_line_feeds


def read_format(text: str, path: Path) -> CaptionTrack:
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("{"):
        return read_json3(text)
    text = with_line_feeds(text)
    if start.startswith("WEBVTT"):
        return read_vtt(text)
    first_time = next(filter(None, (TIME_BEGINS.match(plain_digits(line)) for line in text.split("\n"))), None)
    if first_time is not None:
        return read_srt(text) if "," in first_time[0] or path.suffix.lower() == ".srt" else read_vtt(text)
    return read_srt(text) if path.suffix.lower() == ".srt" else read_vtt(text)
