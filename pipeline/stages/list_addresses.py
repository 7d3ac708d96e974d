"""Addresses of lists: playlists, channels and feeds, told from addresses of single videos without any network."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from pipeline.stages.addresses import host_of, normalise, split_url
from pipeline.stages.errors import StageError

YOUTUBE_HOSTS = ("youtube.com", "youtu.be", "youtube-nocookie.com")
YOUTUBE_VIDEO_ID = re.compile(r"[0-9A-Za-z_-]{11}")
YOUTUBE_LIST_ID = re.compile(r"[0-9A-Za-z_-]{2,100}")
YOUTUBE_CHANNEL_ID = re.compile(r"UC[0-9A-Za-z_-]{22}")
# Lists that YouTube makes for one viewer: watch later, likes, mixes, and the queue of a browser tab.
PERSONAL_LISTS = ("WL", "LL", "LM", "RD", "UL", "TL")
# Tabs of a channel that hold videos or playlists; any other one (about, community, store …) stands for its videos.
CHANNEL_TABS = ("videos", "streams", "shorts", "playlists", "podcasts", "releases", "courses", "search")
CHANNEL_PATHS = ("channel", "c", "user")
# First parts of YouTube paths that hold lists without being channels.
OTHER_LISTS = ("results", "hashtag", "feed", "show", "shows")
# First parts that are no channel's short name, however much they look like one.
NO_CHANNELS = (
    "watch", "playlist", "embed", "v", "e", "shorts", "live", "clip", "post", "source", "attribution_link", "redirect",
    "about", "t", "premium", "gaming", "kids", "account", "upload", "signin", "oembed", "iframe_api", "s", "yts",
    "api", "creators", "trending", "ads", "howyoutubeworks", "browse", "youtubei", "watch_videos", "get_video_info",
    "channel", "c", "user", "w", "watch_popup", "movies", "search", "shared", "explore", "feeds", "storefront", "oops",
    "index", "logout", "playlists", "videos", "channels", "streams", "new",
)  # fmt: skip
# Hosts where a path of one word is a channel's short name; on others (consent., support. …) it is anything.
CHANNEL_HOSTS = ("youtube.com", "www.youtube.com", "m.youtube.com")
# How feeds are named by the programs that publish podcasts.
FEED_ENDING = re.compile(r"\.(?:rss|atom)$|/(?:feed|rss|podcast|index|itunes)\.xml$|/(?:feed|rss)/?$", re.IGNORECASE)

PLAYLIST: Final = "playlist"
CHANNEL: Final = "channel"
FEED: Final = "feed"
OTHER: Final = "list of videos"


@dataclass(frozen=True)
class ListAddress:
    """A list of videos that an address names.

    Attributes
    ----------
    url : str
        The one spelling of its address.
    kind : str
        "playlist", "channel", "feed" or "list of videos".
    """

    url: str
    kind: str


class ListAddressError(StageError):
    """An address of a list stands where that of one video is wanted."""

    def __init__(self, written: str, found: ListAddress) -> None:
        super().__init__(
            f"{written} is a {found.kind}, not one video; choose from its videos under “Playlist or channel” "
            "(or with “add_video --list”), or give the address of one video."
        )
        self.list_address = found


def find_list(url: str) -> ListAddress | None:
    """Return the list that an address names, instead of a video or beside one; None where none can be seen.

    A page of an unknown site may hold a list too; that is seen only when it is read.

    Raises
    ------
    StageError
        It is no web address.

    Examples
    --------
    >>> find_list("https://youtu.be/i4b-_bNsajY?list=PLabcdefghijk").url
    'https://www.youtube.com/playlist?list=PLabcdefghijk'
    >>> find_list("https://m.youtube.com/@somebody").url
    'https://www.youtube.com/@somebody/videos'
    """
    from pipeline.stages.ytdlp_sites import find_extractor

    canonical = normalise(url)
    if is_youtube(canonical):
        return _find_youtube_list(canonical)
    site = find_extractor(canonical)
    if site is None:
        return ListAddress(canonical, FEED) if FEED_ENDING.search(urlsplit(canonical).path) else None
    return ListAddress(canonical, OTHER) if site.is_list else None


def list_beside(url: str) -> ListAddress | None:
    """Return the list that the address of one video names beside it, where others can open that list too.

    >>> list_beside("https://www.youtube.com/watch?v=i4b-_bNsajY&list=WL") is None
    True
    """
    found = find_list(url)
    if found is None or found.kind != PLAYLIST:
        return None
    personal = parse_qs(urlsplit(found.url).query)["list"][0].startswith(PERSONAL_LISTS)
    return None if personal else found


def is_youtube(url: str) -> bool:
    host = host_of(split_url(url))
    return any(host == known or host.endswith(f".{known}") for known in YOUTUBE_HOSTS)


def not_one_video(written: str, sentence: str) -> StageError:
    """Return the error for an address that names no single video: the list it names, or else the sentence."""
    found = find_list(written)
    return ListAddressError(written, found) if found else StageError(sentence)


def _find_youtube_list(url: str) -> ListAddress | None:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    path = [part for part in parts.path.split("/") if part]
    list_id = query.get("list", "") or query.get("playlist_id", "")
    if YOUTUBE_LIST_ID.fullmatch(list_id) and path[:1] != ["results"]:
        return ListAddress(_playlist_address(list_id, query.get("v", path[-1] if path else "")), PLAYLIST)
    if parts.path == "/feeds/videos.xml" and YOUTUBE_CHANNEL_ID.fullmatch(query.get("channel_id", "")):
        return ListAddress(f"https://www.youtube.com/channel/{query['channel_id']}/videos", CHANNEL)
    host = host_of(split_url(url))
    named = path and (path[0].startswith("@") or path[0] in CHANNEL_PATHS)
    if path and host.endswith("youtube.com") and (host in CHANNEL_HOSTS or named):
        return _find_channel(path, query, f"https://www.youtube.com{parts.path}", parts.query)
    return None


def _playlist_address(list_id: str, video: str) -> str:
    """A mix exists only beside the video that it grows from."""
    if list_id.startswith("RD") and YOUTUBE_VIDEO_ID.fullmatch(video):
        return f"https://www.youtube.com/watch?v={video}&list={list_id}"
    return f"https://www.youtube.com/playlist?list={list_id}"


def _find_channel(path: list[str], query: dict[str, str], url: str, rest: str) -> ListAddress | None:
    if path[0] in OTHER_LISTS:
        return ListAddress(f"{url}?{rest}" if rest else url, OTHER)
    name, tab = path[0], path[1:2]
    if name in CHANNEL_PATHS and tab:
        name, tab = f"{name}/{tab[0]}", path[2:3]
    elif not name.startswith("@") and (name in NO_CHANNELS or "." in name or (tab and tab[0] not in CHANNEL_TABS)):
        return None
    chosen = tab[0] if tab and tab[0] in CHANNEL_TABS else "videos"
    asked = f"?query={quote(query['query'])}" if chosen == "search" and query.get("query") else ""
    return ListAddress(f"https://www.youtube.com/{name}/{chosen}{asked}", CHANNEL)
