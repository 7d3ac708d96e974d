"""One entry of a list: which video it means, what the list tells about it, and why it cannot be submitted."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from pipeline.stages.caption_choice import choose_captions
from pipeline.stages.download import VideoIdentity, identify
from pipeline.stages.errors import StageError
from pipeline.stages.list_addresses import YOUTUBE_VIDEO_ID, ListAddressError
from pipeline.stages.site_text import UNSEEN, one_line

# Titles that YouTube gives to entries that nobody can open.
GONE_TITLES = ("[private video]", "[deleted video]")
LIVE = ("is_live", "is_upcoming")
OTHER_LANGUAGES = "other"
SELF = "This leads back to the list itself."


@dataclass(frozen=True)
class ListedVideo:
    """An entry of a list.

    Attributes
    ----------
    number : int
        Its position in the list, from 1.
    url : str
        Its canonical address, or as the list has it where that is no address of one video.
    identity : VideoIdentity or None
        None where it cannot be submitted; `problem` says why.
    title : str
        As the list has it, on one line; may be empty.
    duration_s : float or None
    captions : str
        "manual", "automatic", "other" (no English ones), or "" where the list does not tell.
    problem : str
        Why it cannot be submitted.
    note : str
        What to know about one that can.
    list_url : str
        The address to read where the entry is a list of its own.
    """

    number: int
    url: str
    identity: VideoIdentity | None
    title: str = ""
    duration_s: float | None = None
    captions: str = ""
    problem: str = ""
    note: str = ""
    list_url: str = ""


def describe_entry(number: int, entry: dict[str, Any], list_url: str, info: dict[str, Any]) -> ListedVideo:
    """Return what yt-dlp's description of an entry means; `info` describes the list, or is the single entry itself."""
    address = _address(entry, list_url, info)
    duration = entry.get("duration")
    title = one_line(entry.get("title"))
    if info is entry:
        title = title.removesuffix(" (1)")  # yt-dlp numbers the recordings of a page, also a single one
    facts: dict[str, Any] = {
        "title": title,
        "duration_s": float(duration) if isinstance(duration, int | float) and duration > 0 else None,
        "captions": _captions(entry),
    }
    if entry.get("_type") in ("playlist", "multi_video") and address != list_url:
        return ListedVideo(number, address, None, problem="This is a list of its own.", list_url=address, **facts)
    if not address:
        return ListedVideo(number, "", None, problem="The list gives no address for it.", **facts)
    try:
        identity = identify(address)
        if problem := _unfit(entry, title):
            return ListedVideo(number, identity.url, None, problem=problem, **facts)
        if identity.url == list_url and info is not entry:
            return ListedVideo(number, address, None, problem=SELF, **facts)
    except ListAddressError as error:
        there = error.list_address
        if there.url == list_url:
            return ListedVideo(number, address, None, problem=SELF, **facts)
        problem = f"This is a {there.kind} of its own."
        return ListedVideo(number, there.url, None, problem=problem, list_url=there.url, **facts)
    except StageError as error:
        return ListedVideo(number, one_line(address), None, problem=one_line(error.message), **facts)
    return ListedVideo(number, identity.url, identity, note=_note(entry), **facts)


def _address(entry: dict[str, Any], list_url: str, info: dict[str, Any]) -> str:
    """The address of an entry; nothing where what the list gives is none."""
    try:
        address = _named_address(entry, list_url, info)
    except (ValueError, LookupError):  # "http://[", or something hidden in it that is not what yt-dlp hides
        return ""
    return "" if UNSEEN.search(address) else address


def _named_address(entry: dict[str, Any], list_url: str, info: dict[str, Any]) -> str:
    """The address of an entry's own page; where it has none, of its file."""
    from pipeline.stages.ytdlp_lists import plain_url

    written = str(entry.get("url") or "")
    if entry.get("ie_key") == "Youtube" and YOUTUBE_VIDEO_ID.fullmatch(written):
        return f"https://www.youtube.com/watch?v={written}"
    if entry.get("_type") not in ("url", "url_transparent"):
        page = str(entry.get("webpage_url") or "")
        if page and (page != info.get("webpage_url") or info is entry):
            return page
        if info.get("extractor") == "archive.org" and entry.get("id"):
            return f"https://archive.org/details/{quote(str(entry['id']))}"
        written = written or _file_address(entry)
    return urljoin(list_url, plain_url(written)) if written else ""


def _file_address(entry: dict[str, Any]) -> str:
    formats = entry.get("formats")
    for one in reversed(formats if isinstance(formats, list) else []):  # the best comes last
        if isinstance(one, dict) and urlsplit(str(one.get("url") or "")).scheme in ("http", "https"):
            return str(one["url"])
    return ""


def _unfit(entry: dict[str, Any], title: str) -> str:
    """Why nobody can fetch an entry, as far as the list tells."""
    if title.lower() in GONE_TITLES or entry.get("availability") == "private":
        return "It is private or has been deleted."
    if entry.get("live_status") in LIVE:
        return "This is a live broadcast; submit it when it is over."
    return ""


def _note(entry: dict[str, Any]) -> str:
    if entry.get("availability") in ("subscriber_only", "premium_only", "needs_auth"):
        return "Open to members or signed-in people only."
    if entry.get("_type") not in ("url", "url_transparent") and entry.get("subtitles"):
        return "The file alone is fetched; captions beside it on the page are not."
    return ""


def _captions(entry: dict[str, Any]) -> str:
    people, automatic = _tracks(entry.get("subtitles")), _tracks(entry.get("automatic_captions"))
    if not people and not automatic:
        return ""
    choice = choose_captions(people, automatic)
    return choice[1] if choice else OTHER_LANGUAGES


def _tracks(found: Any) -> dict[str, list[dict[str, Any]]]:
    """Caption tracks as they are chosen from; where a page names no format, the file's ending tells it."""
    if not isinstance(found, dict):
        return {}
    return {
        str(language): [{"ext": _ending(str(form.get("url"))), **form} for form in forms if isinstance(form, dict)]
        for language, forms in found.items()
        if isinstance(forms, list)
    }


def _ending(url: str) -> str:
    try:
        return PurePosixPath(urlsplit(url).path).suffix[1:]
    except ValueError:  # no address
        return ""
