"""A list of videos on the terminal, and as a JSON document."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.models import Video
from pipeline.stages.download import VideoIdentity
from pipeline.stages.list_entries import ListedVideo
from pipeline.stages.video_lists import VideoList

Here = Mapping[VideoIdentity, Video]


def describe_list(found: VideoList, here: Here) -> dict[str, Any]:
    """The list as docs/api.md describes it."""
    return {
        "url": found.url,
        "title": found.title,
        "first": found.first,
        "last": found.last,
        "total": found.total,
        "next": found.next,
        "repeated": found.repeated,
        "problems": list(found.problems),
        "entries": [_describe_entry(entry, here) for entry in found.entries],
    }


def _describe_entry(entry: ListedVideo, here: Here) -> dict[str, Any]:
    video = here.get(entry.identity) if entry.identity else None
    return {
        "number": entry.number,
        "url": entry.url,
        "title": entry.title,
        "duration_s": entry.duration_s,
        "captions": entry.captions,
        "problem": entry.problem,
        "note": entry.note,
        "list_url": entry.list_url,
        "video": video.pk if video else None,
        "split": video.split if video else "",
    }


def list_lines(found: VideoList, here: Here) -> Iterator[str]:
    """The list as a table, with a line under an entry where something is to be said about it."""
    yield f"{found.title or 'A list'} ({found.url})"
    if found.entries:
        yield f"{'No.':>5}  {'Length':>8}  {'Captions':<9}  {'Here':<5}  Title"
    for entry in found.entries:
        video = here.get(entry.identity) if entry.identity else None
        length = _clock(entry.duration_s)
        place = video.split if video else ""
        yield f"{entry.number:>5}  {length:>8}  {entry.captions:<9}  {place:<5}  {entry.title or entry.url}"
        if said := entry.problem or entry.note:
            yield f"{'':>5}  {'':>8}  {said}"
    yield _count(found, here)
    yield from found.problems
    if found.next:
        yield f"The list goes on: --from {found.next} shows the next entries."


def _count(found: VideoList, here: Here) -> str:
    can = sum(entry.identity is not None and entry.identity not in here for entry in found.entries)
    cannot = sum(entry.identity is None for entry in found.entries)
    total = f" of {found.total}" if found.total else ""
    if found.last < found.first:
        return f"There is no entry from number {found.first} on." if found.first > 1 else "The list is empty."
    repeated = f" {found.repeated} left out that repeat others." if found.repeated else ""
    stretch = f"Entries {found.first} to {found.last}{total}"
    return f"{stretch}: {can} can be added, {len(here)} here already, {cannot} cannot be added.{repeated}"


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
