"""What a site says becomes a sentence, and whether it is tried again."""

from io import BytesIO
from typing import Any

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UserNotLive

from pipeline.stages.download_errors import Evidence, explain
from pipeline.stages.errors import LockedRecordingError, SiteRefusesError, StageError

ID = "i4b-_bNsajY"
# What yt-dlp 2026.10 appends for people at a command line.
COOKIES_HINT = (
    "Use --cookies-from-browser or --cookies for the authentication. See  "
    "https://github.com/yt-dlp/yt-dlp/wiki/FAQ#how-do-i-pass-cookies-to-yt-dlp  for how to manually pass cookies"
)
YOUTUBE_HINT = (
    f"{COOKIES_HINT}. Also see  https://github.com/yt-dlp/yt-dlp/wiki/Extractors#exporting-youtube-cookies  for tips "
    "on effectively exporting YouTube cookies"
)
LOGIN_HINT = (
    "Use --cookies, --cookies-from-browser, --username and --password, --netrc-cmd, or --netrc (vimeo) to provide "
    "account credentials. See  https://github.com/yt-dlp/yt-dlp/wiki/FAQ#how-do-i-pass-cookies-to-yt-dlp  for how to "
    "manually pass cookies"
)
FORMAT = "Requested format is not available. Use --list-formats for a list of available formats"
PLAYER = "Failed to extract any player response"
NO_RUNTIME = (
    "[youtube] No supported JavaScript runtime could be found. Only deno is enabled by default; to use another runtime "
    "add  --js-runtimes RUNTIME[:PATH]  to your command/config. YouTube extraction without a JS runtime has been "
    "deprecated, and some formats may be missing. See  https://github.com/yt-dlp/yt-dlp/wiki/EJS  for details on "
    "installing one"
)
SOLVING = (
    f"[youtube] {ID}: n challenge solving failed: Some formats may be missing. Ensure you have a supported JavaScript "
    "runtime and challenge solver script distribution installed. Review any warnings presented before this message. "
    "For more details, refer to  https://github.com/yt-dlp/yt-dlp/wiki/EJS"
)
SIGNATURE = f"[youtube] {ID}: Signature solving failed: Some formats may be missing. Ensure you have a supported …"
SKIPPED = (
    "[youtube] [jsc] Remote component challenge solver script (deno) was skipped. It may be required to solve JS "
    "challenges. You can enable the download with  --remote-components ejs:github  (recommended)."
)
ONLY_IMAGES = "Only images are available for download. use --list-formats to see them"
SABR = (
    f"[youtube] {ID}: Some web_music client https formats have been skipped as they are missing a URL. YouTube may "
    "have enabled the SABR-only streaming experiment for the current session. See  "
    "https://github.com/yt-dlp/yt-dlp/issues/12482  for more details"
)
GVS = (
    f"[youtube] {ID}: mweb client https formats require a GVS PO Token which was not provided. They will be skipped as "
    'they may yield HTTP Error 403. You can manually pass a GVS PO Token for this client with --extractor-args "…"'
)
TV_DRM = (
    f"[youtube] {ID}: Some tv client https formats have been skipped as they are DRM protected. The current session "
    "may have an experiment that applies DRM to all videos on the tv client."
)
OLD_COOKIES = (
    "[youtube] The provided YouTube account cookies are no longer valid. They have likely been rotated in the browser "
    "as a security measure."
)
TOO_MANY = f"[youtube] {ID}: Unable to download API page: HTTP Error 429: Too Many Requests (caused by <HTTPError 429>)"
FORBIDDEN = f"[youtube] {ID}: Unable to download API page: HTTP Error 403: Forbidden (caused by <HTTPError 403>)"


def raised(text: str, ie: str = "youtube", kind: type[Any] = ExtractorError, **options: Any) -> Exception:
    """The error as YoutubeDL raises it."""
    cause = kind(text, **options) if kind is not ExtractorError else kind(text, expected=True, video_id=ID, ie=ie)
    error: Exception = DownloadError(f"ERROR: {cause}", (type(cause), cause, None))
    return error


PERMANENT = [
    (f"Private video. Sign in if you've been granted access to this video. {YOUTUBE_HINT}", "private"),
    ("Video unavailable. This video is private", "private"),
    ("This video has been removed by the uploader", "removed"),
    ("Video unavailable. This video has been removed by the uploader", "removed"),
    ("This video has been removed for violating YouTube's policy on hate speech", "removed"),
    (
        "Video unavailable. This video is no longer available because the YouTube account associated with this video "
        "has been terminated.",
        "removed",
    ),
    ("Video unavailable. This video isn't available anymore", "removed"),
    ("Video unavailable. The uploader has not made this video available in your country", "country"),
    (
        "Video unavailable. This video contains content from SME, who has blocked it in your country on copyright "
        "grounds",
        "country",
    ),
    ("This video contains content from SME, who has blocked it on copyright grounds", "copyright"),
    ("Video unavailable. This video is no longer available due to a copyright claim by Members Only Ltd", "copyright"),
    (f"Sign in to confirm your age. This video may be inappropriate for some users. {YOUTUBE_HINT}", "adults"),
    ("This video is age-restricted and only available on YouTube", "adults"),
    (
        "Join this channel to get access to members-only content like this video, and other exclusive perks.",
        "paying",
    ),
    (
        "This video is available to this channel's members on level: Silver (or any higher level). Join this channel "
        "to get access to members-only content and other exclusive perks.",
        "paying",
    ),
    ("This video requires payment to watch.", "paying"),
    ("This video requires a channel membership", "paying"),
    ("You must be 18 years or older to watch this", "adults"),
    ("This video is not available in your country", "country"),
    ("Video unavailable. This video is unavailable in your location", "country"),
    ("This video is no longer available because the uploader has closed their YouTube account.", "removed"),
    ("This video is only available to Music Premium members", "paying"),
    ("Premieres in 20 hours", "broadcast"),
    ("This live event will begin in a few moments.", "broadcast"),
    ("This live event has ended.", "broadcast"),
    ("This live stream recording is not available.", "broadcast"),
    ("This video is DRM protected", "DRM"),
]
AGAIN = [
    # Machines in data centres are told so of videos that play elsewhere.
    ("Video unavailable", "no such video"),
    ("Video unavailable. This video is unavailable", "no such video"),
    ("Unable to download webpage: HTTP Error 400: Bad Request", "HTTP 400"),
    ("Unable to download webpage: HTTP Error 401: Unauthorized", "HTTP 401"),
    ("Unable to download webpage: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed>", "clock"),
    (FORMAT, "named no recording"),
    ("No video formats found!", "named no recording"),
    ("The page needs to be reloaded.", "loaded anew"),
    ("We're processing this video. Check back later.", "still preparing"),
    (PLAYER, "none of the players"),
    ("Video unavailable. This video is not available", "not why"),
    ("Video unavailable. This content isn't available.", "not why"),
    ("The following content is not available on this app. Watch on the latest version of YouTube.", "players"),
    (f"Please sign in. {YOUTUBE_HINT}", "signed-in"),
    ("Incomplete data received", "could not be read"),
    ("Unable to extract player version; please report this issue on  https://github.com/yt-dlp/…", "could not be read"),
    ("An error occurred. Please try again later.", "could not be read"),
    ("Playback on other websites has been disabled by the video owner", "could not be read"),
]
RESTS = [
    (f"Sign in to confirm you’re not a bot. {YOUTUBE_HINT}", "not a bot"),
    (f"Sign in to confirm you're not a bot. {YOUTUBE_HINT}", "not a bot"),
    ("Please verify. YouTube is requiring a captcha challenge before playback", "not a bot"),
    (
        "Video unavailable. This content isn't available, try again later. The current session has been rate-limited "
        "by YouTube for up to an hour. It is recommended to use `-t sleep` to add a delay between video requests to "
        "avoid exceeding the rate limit. For more information, refer to  https://github.com/yt-dlp/yt-dlp/wiki/Extractors",
        "pause",
    ),
    ("All player responses are invalid. Your IP is likely being blocked by Youtube", "blocked the address"),
    ("Unable to download API page: HTTP Error 429: Too Many Requests", "pause"),
]


@pytest.mark.parametrize(("text", "sentence"), PERMANENT)
def test_what_youtube_is_sure_of_is_final(text: str, sentence: str) -> None:
    error = explain(raised(text))
    assert sentence in error.message
    assert error.permanent


@pytest.mark.parametrize(("text", "sentence"), AGAIN)
def test_what_youtube_is_not_sure_of_is_tried_again(text: str, sentence: str) -> None:
    with pytest.raises(StageError, match=sentence) as caught:
        raise explain(raised(text))
    assert not caught.value.permanent
    assert not isinstance(caught.value, SiteRefusesError)
    assert caught.value.message.endswith("it is tried again later.")


@pytest.mark.parametrize(("text", "sentence"), RESTS)
def test_a_refusal_of_this_machine_rests_the_site_and_says_what_helps(text: str, sentence: str) -> None:
    error = explain(raised(text))
    assert isinstance(error, SiteRefusesError)
    assert sentence in error.message
    assert not error.permanent
    assert error.rest_s >= 3600
    for help_ in ("DOWNLOAD_COOKIES", "DOWNLOAD_PAUSE_S", "uploading the recording"):
        assert help_ in error.message


@pytest.mark.parametrize(
    ("text", "warnings", "sentence", "kind"),
    [
        (FORMAT, [NO_RUNTIME], "no JavaScript runtime", LockedRecordingError),
        (FORMAT, [NO_RUNTIME, SOLVING, ONLY_IMAGES], "no JavaScript runtime", LockedRecordingError),
        (FORMAT, [SOLVING, ONLY_IMAGES], "challenge was not solved", LockedRecordingError),
        (FORMAT, [SIGNATURE], "challenge was not solved", LockedRecordingError),
        (FORMAT, [SKIPPED], "challenge was not solved", LockedRecordingError),
        (FORMAT, [SABR], "SABR", StageError),
        (FORMAT, [GVS], "token", StageError),
        ("No video formats found!", [GVS, SABR], "SABR", StageError),
        (PLAYER, [TOO_MANY], "pause", SiteRefusesError),
        (PLAYER, [FORBIDDEN], "HTTP 403", StageError),
        ("This video is DRM protected", [TV_DRM], "experiment", StageError),
        ("Video unavailable", [TOO_MANY], "pause", SiteRefusesError),
        ("Sign in to confirm you're not a bot", [OLD_COOKIES], "no longer valid", SiteRefusesError),
        ("The page was empty", [SOLVING], "challenge was not solved", LockedRecordingError),
    ],
)
def test_warnings_name_the_cause_of_what_is_vague(
    text: str, warnings: list[str], sentence: str, kind: type[StageError]
) -> None:
    error = explain(raised(text), Evidence(warnings=tuple(warnings)))
    assert sentence in error.message
    assert not error.permanent
    assert type(error) is kind
    if isinstance(error, SiteRefusesError):
        assert error.rest_s == 3600


@pytest.mark.parametrize("warnings", [[NO_RUNTIME], [SOLVING, SABR], [TOO_MANY]])
@pytest.mark.parametrize(("text", "sentence"), [("Private video", "private"), ("Premieres in 3 hours", "broadcast")])
def test_warnings_do_not_soften_what_is_sure(text: str, sentence: str, warnings: list[str]) -> None:
    error = explain(raised(text), Evidence(warnings=tuple(warnings)))
    assert error.permanent
    assert sentence in error.message


@pytest.mark.parametrize(
    ("ie", "text", "permanent", "sentence"),
    [
        ("vimeo", "This video is protected by a password, use the --video-password option", True, "password"),
        ("vimeo", f"Sorry. Authentication may be needed due to your location. {LOGIN_HINT}", False, "signed-in"),
        ("vimeo", f"The web client only works when logged-in. {LOGIN_HINT}", False, "DOWNLOAD_COOKIES"),
        ("vimeo", "Got HTTP Error 429 when using impersonate target “chrome”. Try again later", False, "pause"),
        ("vimeo", "This request has been blocked due to its TLS fingerprint. Install a …", False, "only browsers"),
        ("vimeo", "This live event is scheduled for 3 May", True, "broadcast"),
        ("dailymotion", "dailymotion said: Video not found", True, "no such video"),
        ("dailymotion", "dailymotion said: This content has been deleted by its owner", True, "removed"),
        ("dailymotion", "dailymotion said: Private video", True, "private"),
        ("archive.org", "Unable to download JSON metadata: HTTP Error 404: Not Found", True, "HTTP 404"),
        ("generic", "Got HTTP Error 403 caused by Cloudflare anti-bot challenge; try again", False, "only browsers"),
        ("generic", "Unsupported URL: https://example.org/", True, "no recording at this address"),
        ("generic", FORMAT, False, "named no recording"),
        ("other", f"This video is only available for registered users. {COOKIES_HINT}", True, "signed-in"),
        ("other", "You must be logged in to view this", True, "signed-in"),
        ("other", "This video requires a subscription", True, "paying"),
        ("other", "This video is for premium members only", True, "paying"),
        ("other", "The video is no longer available", True, "removed"),
        ("other", "This video does not exist", True, "no such video"),
        ("other", "This video is not available due to geo restriction. You may be able to bypass it", True, "country"),
        # Sites that only guess.
        ("other", "Redirection detected; the video may be deleted or require login", False, "signed-in"),
        ("other", "This video may be deleted or geo-restricted. You might want to try a VPN", False, "country"),
        ("other", "No media links found; possibly due to geo restriction", False, "country"),
        ("other", "This video is either unavailable in your region or is DRM protected", False, "country"),
        # Words that used to decide whatever they meant.
        ("other", "Unable to extract subscriber count", False, "could not be read"),
        ("other", "Unable to download deleted-scenes list", False, "could not be read"),
        ("other", f"Could not parse the page. {LOGIN_HINT}", False, "could not be read"),
        ("other", "Token not found in webpage", False, "could not be read"),
        ("other", "Unable to extract page limit", False, "could not be read"),
    ],
)
def test_other_sites_are_told_by_their_own_words(ie: str, text: str, permanent: bool, sentence: str) -> None:
    error = explain(raised(text, ie))
    assert sentence in error.message
    assert error.permanent is permanent


def test_pictures_without_sound_are_final_but_not_on_youtube() -> None:
    error = explain(raised(FORMAT, "generic"), Evidence(extractor="generic", soundless=True))
    assert error.permanent
    assert "no sound" in error.message
    assert not explain(raised(FORMAT), Evidence(extractor="youtube", soundless=True)).permanent


def test_words_of_an_address_or_a_number_decide_nothing() -> None:
    text = "Unable to parse https://example.org/private-video/members-only?drm=1"
    assert not explain(raised(text, "generic")).permanent


@pytest.mark.parametrize(
    ("status", "extractor", "warnings", "permanent", "sentence"),
    [
        (403, "youtube", (), False, "check_downloads"),
        (403, "youtube", (SOLVING,), False, "challenge was not solved"),
        (403, "generic", (), False, "HTTP 403"),
        (404, "youtube", (), False, "HTTP 404"),
        (404, "generic", (), True, "HTTP 404"),
        (429, "youtube", (), False, "pause"),
        (503, "youtube", (), False, "HTTP 503"),
    ],
)
def test_media_that_is_refused_is_told_by_its_status(
    status: int, extractor: str, warnings: tuple[str, ...], permanent: bool, sentence: str
) -> None:
    error = DownloadError(f"ERROR: unable to download video data: HTTP Error {status}: Something")
    told = explain(error, Evidence(warnings=warnings, extractor=extractor))
    assert sentence in told.message
    assert told.permanent is permanent
    assert isinstance(told, SiteRefusesError) is (status == 429)
    assert isinstance(told, LockedRecordingError) is bool(warnings)


def test_errors_known_by_their_class_need_no_words() -> None:
    assert "country" in explain(raised("Nicht verfügbar", kind=GeoRestrictedError)).message
    assert "not on air" in explain(raised("Nichts", kind=UserNotLive)).message


def test_an_error_of_this_program_is_not_explained_away() -> None:
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())


def test_the_status_of_a_hidden_error_counts() -> None:
    hidden = HTTPError(Response(BytesIO(b""), "https://example.org/", {}, status=410))
    error = ExtractorError("Unable to download webpage", cause=hidden, ie="generic")
    assert "HTTP 410" in explain(error).message
