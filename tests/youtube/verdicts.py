"""What YouTube says about videos that it does not play, in the words it uses."""

from typing import Any

from tests.youtube.videos import Video

# Name → (status, reason, further reason under it); the reasons are what yt-dlp's own extractor looks for or tells.
REFUSALS: dict[str, tuple[str, str, str]] = {
    "private": ("LOGIN_REQUIRED", "Private video", "Sign in if you've been granted access to this video"),
    "private-elsewhere": (  # as applications for phones are told
        "LOGIN_REQUIRED",
        "This video is private",
        "If the owner of this video has granted you access, please sign in",
    ),
    "removed": ("ERROR", "Video unavailable", "This video has been removed by the uploader"),
    "violation": (
        "ERROR",
        "Video unavailable",
        "This video has been removed for violating YouTube's Community Guidelines",
    ),
    "hate-speech": (
        "ERROR",
        "Video unavailable",
        "This video has been removed for violating YouTube's policy on hate speech. "
        "Learn more about combating hate speech in your country.",
    ),
    "terminated": (
        "ERROR",
        "Video unavailable",
        "This video is no longer available because the YouTube account associated with this video has been terminated.",
    ),
    "closed": (
        "ERROR",
        "Video unavailable",
        "This video is no longer available because the uploader has closed their YouTube account.",
    ),
    "copyright": (
        "UNPLAYABLE",
        "Video unavailable",
        "This video contains content from Example Music, who has blocked it on copyright grounds",
    ),
    "copyright-claim": (
        "ERROR",
        "Video unavailable",
        "This video is no longer available due to a copyright claim by Example Music",
    ),
    "members": (
        "UNPLAYABLE",
        "Join this channel to get access to members-only content like this video, and other exclusive perks.",
        "",
    ),
    "members-level": (
        "UNPLAYABLE",
        "This video is available to this channel's members on level: Friends (or any higher level). "
        "Join this channel to get access to members-only content and other exclusive perks.",
        "",
    ),
    "premium": ("UNPLAYABLE", "This video is only available to Music Premium members", ""),
    "rental": ("UNPLAYABLE", "This video requires payment to watch", ""),
    "age": ("LOGIN_REQUIRED", "Sign in to confirm your age", "This video may be inappropriate for some users."),
    "age-embedded": ("UNPLAYABLE", "This video is age-restricted and only available on YouTube", "Learn more"),
    "geo": ("UNPLAYABLE", "Video unavailable", "The uploader has not made this video available in your country"),
    "geo-elsewhere": ("UNPLAYABLE", "The uploader has not made this video available in your country", ""),
    "geo-short": ("UNPLAYABLE", "Video unavailable", "This video is not available in your country"),
    "geo-copyright": (
        "UNPLAYABLE",
        "Video unavailable",
        "This video contains content from Example Music, who has blocked it in your country on copyright grounds",
    ),
    "nonexistent": ("ERROR", "Video unavailable", ""),
    "not-available": ("UNPLAYABLE", "This video is not available", ""),
    "not-available-long": ("UNPLAYABLE", "Video unavailable", "This video is not available"),
    "content": ("UNPLAYABLE", "Video unavailable", "This content isn’t available."),
    "upcoming": ("LIVE_STREAM_OFFLINE", "Premieres in 3 hours", ""),
    "live-soon": ("LIVE_STREAM_OFFLINE", "This live event will begin in 2 days.", ""),
    "live-ended": ("LIVE_STREAM_OFFLINE", "This live stream recording is not available.", ""),
    "processing": ("UNPLAYABLE", "We're processing this video. Check back later.", ""),
    "bot": ("LOGIN_REQUIRED", "Sign in to confirm you’re not a bot", "This helps protect our community. Learn more"),
    "please-sign-in": ("LOGIN_REQUIRED", "Please sign in", ""),
    "captcha": ("UNPLAYABLE", "Video unavailable", ""),
    "rate-limit": ("UNPLAYABLE", "This content isn't available, try again later.", ""),
    "reload": ("UNPLAYABLE", "The page needs to be reloaded.", ""),
    "old-app": (
        "UNPLAYABLE",
        "The following content is not available on this app.",
        "Watch this content on the latest version of YouTube.",
    ),
    "wrong": ("ERROR", "Something went wrong. Refresh or try again later.", ""),
    "error": ("ERROR", "An error occurred. Please try again later.", "Playback ID: loopback"),
    "unavailable": ("UNPLAYABLE", "Video unavailable", "This video is unavailable"),
    "embedding-off": (
        "UNPLAYABLE",
        "Video unavailable",
        "Playback on other websites has been disabled by the video owner",
    ),
}
# Besides refusals: "ok"; "live" (being broadcast); "sabr" (plays, but by a protocol of YouTube's own alone); "empty"
# (plays, without any stream); "drm"; "blocked-address" (another video's answer, as given to addresses that misbehave).
PLAYED = ("ok", "live", "sabr", "empty", "drm", "blocked-address")


def playability(verdict: str, video: Video) -> dict[str, Any]:
    """The part `playabilityStatus` of an answer."""
    if verdict in PLAYED:
        return {"status": "OK", "playableInEmbed": True}
    status, reason, further = REFUSALS[verdict]
    said: dict[str, Any] = {"status": status, "reason": reason, "playableInEmbed": False}
    if further:
        said["errorScreen"] = {
            "playerErrorMessageRenderer": {
                "reason": {"simpleText": reason},
                "subreason": {"runs": [{"text": further}]},
                "icon": {"iconType": "ERROR_OUTLINE"},
            }
        }
    if video.trailer:
        said["errorScreen"] = {"playerLegacyDesktopYpcTrailerRenderer": {"trailerVideoId": video.trailer}}
    if verdict == "captcha":
        said["errorScreen"] = {"playerCaptchaViewModel": {"captchaId": video.id}}
    if verdict == "age":
        said["desktopLegacyAgeGateReason"] = 1
    return said
