"""Podcast feeds for tests: lists that yt-dlp reads from a site on loopback."""

from html import escape

from tests.loopback import Site


def add_feed(site: Site, *items: tuple[str, str] | tuple[str, str, str], path: str = "/feed.xml") -> str:
    """Serve a feed; items are (title, address) and a duration where known. Return its address."""
    inside = "".join(_item(*item) for item in items)
    (site.folder / path.lstrip("/")).write_text(
        '<?xml version="1.0"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">'
        f"<channel><title>Talks &amp; more</title>{inside}</channel></rss>"
    )
    return site.origin + path


def add_talks(site: Site, number: int, path: str = "/feed.xml") -> str:
    """Serve a feed of numbered talks, each a file of its own on the site."""
    return add_feed(
        site, *((f"Talk {n}", f"{site.origin}/talk{n}.wav", f"{n}:05") for n in range(1, number + 1)), path=path
    )


def _item(title: str, url: str, length: str = "") -> str:
    duration = f"<itunes:duration>{length}</itunes:duration>" if length else ""
    return f'<item><title>{escape(title)}</title><enclosure url="{escape(url)}" type="audio/wav"/>{duration}</item>'
