"""Which site an address belongs to, as yt-dlp knows sites; nothing is contacted."""

from dataclasses import dataclass

from yt_dlp.extractor import gen_extractor_classes, get_info_extractor


@dataclass(frozen=True)
class Site:
    """The extractor that is responsible for an address."""

    name: str
    video_id: str
    is_list: bool


def youtube_id(url: str) -> str:
    """The video that YouTube's own extractor sees in an address, or nothing."""
    extractor = get_info_extractor("Youtube")
    return str(extractor.get_temp_id(url) or "") if extractor.suitable(url) else ""


def find_extractor(url: str) -> Site | None:
    """The site of an address; None where only the generic extractor fits. Nothing is loaded or contacted."""
    extractor = next(found for found in gen_extractor_classes() if found.suitable(url))
    if extractor.ie_key() == "Generic":
        return None
    is_list = getattr(extractor, "_RETURN_TYPE", None) == "playlist"
    return Site(str(extractor.IE_NAME), str(extractor.get_temp_id(url) or ""), is_list)
