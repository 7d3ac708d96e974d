"""YouTube's answers about lists: playlists, and the videos of a channel, page by page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

PLAYLIST_PAGE, CHANNEL_PAGE = 100, 30


@dataclass(frozen=True)
class Entry:
    """One video of a list as the list shows it.

    The note is "" or one of: "live", "upcoming", "members", "private" and "deleted" (both are shown without their
    title), "short".
    """

    id: str
    title: str
    length_s: int | None = None
    note: str = ""


@dataclass
class VideoList:
    """A playlist, or a channel with its tabs of videos, shorts and broadcasts.

    Attributes
    ----------
    id : str
        "PL…" of a playlist, "UC…" and 22 letters of a channel.
    handle : str
        "@name" of a channel; empty for playlists.
    entries, shorts, broadcasts : list of Entry
        The videos, and what a channel has in its other tabs.
    refusal : str
        What the site says instead of showing it.
    status, further_status : int
        The HTTP status of its first page, and of the further ones.
    """

    id: str
    title: str
    entries: list[Entry] = field(default_factory=list)
    handle: str = ""
    shorts: list[Entry] = field(default_factory=list)
    broadcasts: list[Entry] = field(default_factory=list)
    refusal: str = ""
    status: int = 200
    further_status: int = 200

    @property
    def address(self) -> str:
        path = f"/{self.handle}" if self.handle else f"/playlist?list={self.id}"
        return f"https://www.youtube.com{path}"

    @property
    def tabs(self) -> dict[str, list[Entry]]:
        """The tabs that there are; one without videos does not exist."""
        found = {"videos": self.entries, "shorts": self.shorts, "streams": self.broadcasts}
        return {name: entries for name, entries in found.items() if entries}

    def tab_of(self, path: str) -> str | None:
        """The tab that a path leads to, "" for the start page; None where it leads elsewhere."""
        for start in (f"/{self.handle}", f"/channel/{self.id}"):
            if path == start or path.startswith(f"{start}/"):
                return path.removeprefix(start).strip("/")
        return None


def find_list(known: Iterable[VideoList], path: str, list_id: str) -> tuple[VideoList, str] | None:
    """The list that a page's address means, and which of its tabs."""
    for one in known:
        if not one.handle and path == "/playlist" and list_id == one.id:
            return one, ""
        if one.handle and (tab := one.tab_of(path)) is not None:
            return one, tab
    return None


def list_data(found: VideoList, tab: str) -> dict[str, Any]:
    """The data embedded in a page of a list."""
    if found.refusal:
        return {"alerts": [{"alertRenderer": {"type": "ERROR", "text": {"simpleText": found.refusal}}}]}
    return _channel(found, tab) if found.handle else _playlist(found, unavailable=False)


def unknown_list() -> dict[str, Any]:
    return list_data(VideoList("", "", refusal="The playlist does not exist."), "")


def resolved(known: Iterable[VideoList], sent: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """Status and content of `youtubei/v1/navigation/resolve_url`: what an address of a list leads to."""
    address = urlsplit(str(sent.get("url", "")))
    found = find_list(known, address.path, parse_qs(address.query).get("list", [""])[0])
    if found is None:
        return None
    one, tab = found
    endpoint = {"browseId": one.id if one.handle else f"VL{one.id}", "params": tab}
    return one.status, {"endpoint": {"browseEndpoint": endpoint}}


def browse_answer(known: Iterable[VideoList], sent: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """Status and content of `youtubei/v1/browse`: a list by its id, or a further page of one."""
    lists = {one.id: one for one in known}
    if found := lists.get(str(sent.get("browseId", "")).removeprefix("VL")):
        tab = str(sent.get("params", ""))
        return found.status, _channel(found, tab) if found.handle else _playlist(found, unavailable=True)
    list_id, _, rest = str(sent.get("continuation", "")).partition("/")
    if not (found := lists.get(list_id)):
        return None
    tab, _, start = rest.partition("/")
    action = {"appendContinuationItemsAction": {"continuationItems": _page_of(found, tab, int(start))}}
    return found.further_status, {"responseContext": {}, "onResponseReceivedActions": [action]}


# ---------------------------------------------------------------- playlists


def _playlist(found: VideoList, *, unavailable: bool) -> dict[str, Any]:
    """Private and deleted videos are shown only where somebody asks for them."""
    tab = "all" if unavailable else "available"
    listed = {"playlistVideoListRenderer": {"contents": _page_of(found, tab, 0), "playlistId": found.id}}
    section = {"itemSectionRenderer": {"contents": [listed]}}
    content = {"sectionListRenderer": {"contents": [section]}}
    count = {"runs": [{"text": f"{len(found.entries):,}"}, {"text": " videos"}]}
    owner = {"runs": [{"text": "by Gardeners"}]}
    return {
        "contents": {
            "twoColumnBrowseResultsRenderer": {"tabs": [{"tabRenderer": {"selected": True, "content": content}}]}
        },
        "metadata": {"playlistMetadataRenderer": {"title": found.title, "description": ""}},
        "header": {"playlistHeaderRenderer": {"privacy": "PUBLIC", "numVideosText": count, "ownerText": owner}},
        "sidebar": {"playlistSidebarRenderer": {"items": [{"playlistSidebarPrimaryInfoRenderer": {"stats": [count]}}]}},
        "microformat": {"microformatDataRenderer": {"noindex": False, "unlisted": False}},
    }


def _row(entry: Entry, number: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "videoId": entry.id,
        "title": {"runs": [{"text": f"[{entry.note.title()} video]" if _is_gone(entry) else entry.title}]},
        "index": {"simpleText": str(number)},
        "isPlayable": not _is_gone(entry),
    }
    if _is_gone(entry):
        return {"playlistVideoRenderer": row}
    row["shortBylineText"] = {"runs": [{"text": "Gardeners"}]}
    if entry.length_s is not None:
        row |= {"lengthSeconds": str(entry.length_s), "lengthText": {"simpleText": _clock(entry.length_s)}}
    if entry.note == "upcoming":
        row["upcomingEventData"] = {"startTime": "4102444800"}
    if entry.note == "live":
        row["thumbnailOverlays"] = [{"thumbnailOverlayTimeStatusRenderer": {"style": "LIVE", "text": _plain("LIVE")}}]
    if entry.note == "members":
        row["badges"] = [{"metadataBadgeRenderer": {"style": "BADGE_STYLE_TYPE_MEMBERS_ONLY", "label": "Members only"}}]
    return {"playlistVideoRenderer": row}


# ---------------------------------------------------------------- channels


def _channel(found: VideoList, tab: str) -> dict[str, Any]:
    """A tab that a channel does not have shows its start page instead."""
    shown = tab if tab in found.tabs else "featured"
    tabs = [
        {
            "tabRenderer": {
                "title": title,
                "selected": name == shown,
                "endpoint": {"commandMetadata": {"webCommandMetadata": {"url": f"/{found.handle}/{name}"}}},
                **({"content": {"richGridRenderer": {"contents": _page_of(found, name, 0)}}} if name == shown else {}),
            }
        }
        for name, title in (("featured", "Home"), ("videos", "Videos"), ("shorts", "Shorts"), ("streams", "Live"))
        if name in found.tabs or name == "featured"
    ]
    return {
        "contents": {"twoColumnBrowseResultsRenderer": {"tabs": tabs}},
        "metadata": {
            "channelMetadataRenderer": {
                "title": found.title,
                "description": "",
                "externalId": found.id,
                "channelUrl": f"https://www.youtube.com/channel/{found.id}",
                "ownerUrls": [f"http://www.youtube.com/{found.handle}"],
            }
        },
        "header": {"pageHeaderRenderer": {"pageTitle": found.title, "content": {"pageHeaderViewModel": {}}}},
    }


def _tile(entry: Entry) -> dict[str, Any]:
    if entry.note == "short":
        model: dict[str, Any] = {
            "entityId": f"shorts-shelf-item-{entry.id}",
            "onTap": {"innertubeCommand": {"reelWatchEndpoint": {"videoId": entry.id}}},
            "overlayMetadata": {"primaryText": {"content": entry.title}, "secondaryText": {"content": "7 views"}},
        }
        return {"richItemRenderer": {"content": {"shortsLockupViewModel": model}}}
    style = "LIVE" if entry.note == "live" else "DEFAULT"
    told = {"live": "LIVE", "upcoming": "Upcoming"}.get(entry.note) or _clock(entry.length_s or 0)
    badge = {"thumbnailBadgeViewModel": {"text": told, "badgeStyle": f"THUMBNAIL_OVERLAY_BADGE_STYLE_{style}"}}
    row: dict[str, Any] = {"metadataParts": [{"text": _content("7 views")}, {"text": _content("13 days ago")}]}
    if entry.note == "members":
        row["badges"] = [{"badgeViewModel": {"badgeText": "Members only", "badgeStyle": "BADGE_MEMBERS_ONLY"}}]
    model = {
        "contentId": entry.id,
        "contentType": "LOCKUP_CONTENT_TYPE_VIDEO",
        "contentImage": {
            "thumbnailViewModel": {"overlays": [{"thumbnailBottomOverlayViewModel": {"badges": [badge]}}]}
        },
        "metadata": {
            "lockupMetadataViewModel": {
                "title": _content(entry.title),
                "metadata": {"contentMetadataViewModel": {"metadataRows": [row]}},
            }
        },
    }
    return {"richItemRenderer": {"content": {"lockupViewModel": model}}}


# ---------------------------------------------------------------- pages


def _page_of(found: VideoList, tab: str, start: int) -> list[dict[str, Any]]:
    """One page of entries, with the way to the next one at its end."""
    if found.handle:
        entries: Sequence[Entry] = found.tabs.get(tab, [])
        size = CHANNEL_PAGE
    else:
        entries = [one for one in found.entries if tab == "all" or not _is_gone(one)]
        size = PLAYLIST_PAGE
    shown = entries[start : start + size]
    items = [_tile(one) if found.handle else _row(one, start + at) for at, one in enumerate(shown, 1)]
    if start + size < len(entries):
        command = {"continuationCommand": {"token": f"{found.id}/{tab}/{start + size}"}}
        items.append({"continuationItemRenderer": {"continuationEndpoint": command}})
    return items


def _is_gone(entry: Entry) -> bool:
    return entry.note in ("private", "deleted")


def _clock(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _plain(text: str) -> dict[str, str]:
    return {"simpleText": text}


def _content(text: str) -> dict[str, str]:
    return {"content": text}
