"""YouTube's answers about one video: the player's JSON per client, and the pages that carry it.

The keys are those of answers recorded from YouTube in 2026 that yt-dlp reads; values are made up.
"""

import json
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from tests.youtube.script import N_LETTERS, PLAYER_PATH, SIGNATURE_TIMESTAMP, ordered_signature
from tests.youtube.verdicts import playability
from tests.youtube.videos import EMBEDDED, TV, WEB, Track, Video

MEDIA_HOST = "rr1---sn-4g5edns6.googlevideo.com"
MANIFEST_HOST = "manifest.googlevideo.com"
SCRAMBLED_LENGTH = 106
EXPIRES = 4_102_444_800  # 2100
CHANNEL_ID = "UC" + "gardeners-on-loopback"[:22].ljust(22, "0")
VISITOR = "Cgtsb29wYmFja18xMSiAgICABg%3D%3D"
# What the player can do with the streams of each client: put signature and n in order, or take them as they are.
CIPHERED_CLIENTS = (TV, EMBEDDED)
AUDIO_FORMATS = ((251, "AUDIO_QUALITY_MEDIUM", 120_000), (249, "AUDIO_QUALITY_LOW", 50_000))


def challenge_n(video: Video, client: str) -> str:
    """The unsolved n that a client gets for a video."""
    return "".join(N_LETTERS[byte % 64] for byte in sha256(f"n {video.id} {client}".encode()).digest()[:16])


def scrambled_signature(video: Video, client: str) -> str:
    digest = "".join(sha256(f"{number} {video.id} {client}".encode()).hexdigest() for number in range(2))
    return digest.upper()[:SCRAMBLED_LENGTH]


def right_signature(video: Video, client: str) -> str:
    scrambled = scrambled_signature(video, client)
    return ordered_signature(scrambled) if client in CIPHERED_CLIENTS else scrambled


def player_answer(video: Video, client: str, verdict: str) -> dict[str, Any]:
    """What `youtubei/v1/player` answers to a client."""
    answer: dict[str, Any] = {
        "responseContext": {"visitorData": VISITOR},
        "playabilityStatus": playability(verdict, video),
        "playerSettingsMenuData": {},
    }
    if verdict == "nonexistent":
        return answer
    answer["videoDetails"] = _details(video, verdict)
    if client == WEB:
        answer["microformat"] = {"playerMicroformatRenderer": _microformat(video)}
        # Pictures for the time line count as formats; with these alone a video has "formats", and none to fetch.
        spec = f"https://i.ytimg.com/sb/{video.id}/storyboard3_L$L/$N.jpg?sqp=x|48#27#100#10#10#0#default#rs$x"
        answer["storyboards"] = {"playerStoryboardSpecRenderer": {"spec": spec}}
    if answer["playabilityStatus"]["status"] != "OK":
        return answer
    answer["streamingData"] = _streams(video, client, verdict)
    if video.tracks:
        answer["captions"] = {"playerCaptionsTracklistRenderer": _captions(video)}
    return answer


def _details(video: Video, verdict: str) -> dict[str, Any]:
    details: dict[str, Any] = {
        "videoId": "aQvGIIdgFDM" if verdict == "blocked-address" else video.id,
        "title": video.title,
        "lengthSeconds": "0" if verdict == "live" else str(video.length_s),
        "channelId": CHANNEL_ID,
        "shortDescription": "Recorded on loopback.",
        "thumbnail": {"thumbnails": [{"url": f"https://i.ytimg.com/vi/{video.id}/default.jpg", "width": 120}]},
        "viewCount": "7",
        "author": "Gardeners",
        "isPrivate": verdict == "private",
        "isLiveContent": verdict in ("live", "live-soon", "live-ended"),
    }
    if verdict == "live":
        details |= {"isLive": True}
    if verdict in ("upcoming", "live-soon"):
        details |= {"isUpcoming": True}
    return details


def _microformat(video: Video) -> dict[str, Any]:
    return {
        "title": {"simpleText": video.title},
        "lengthSeconds": str(video.length_s),
        "ownerProfileUrl": "http://www.youtube.com/@gardeners",
        "externalChannelId": CHANNEL_ID,
        "isFamilySafe": True,
        "availableCountries": ["AT", "DE", "GR"],
        "isUnlisted": False,
        "category": "Education",
        "uploadDate": "2025-01-27T21:14:36-08:00",
    }


def _streams(video: Video, client: str, verdict: str) -> dict[str, Any]:
    streams: dict[str, Any] = {"expiresInSeconds": "21540"}
    if verdict == "live":
        path = f"/api/manifest/hls_variant/expire/{EXPIRES}/id/{video.id}/playlist/index.m3u8"
        return {**streams, "hlsManifestUrl": f"https://{MANIFEST_HOST}{path}"}
    if verdict == "empty":
        return streams
    # The web player streams by a protocol of YouTube's own: its formats have no addresses.
    without_addresses = client == WEB or verdict == "sabr"
    streams["adaptiveFormats"] = [
        _format(video, client, itag, quality, bitrate, track, without_addresses, drm=verdict == "drm")
        for track in _sound_tracks(video)
        for itag, quality, bitrate in AUDIO_FORMATS
    ]
    streams["serverAbrStreamingUrl"] = _media_address(video, client, 0, {}, solved=True) + "&sabr=1"
    if verdict == "drm":
        streams["licenseInfos"] = [{"drmFamily": "WIDEVINE", "url": "https://www.youtube.com/youtubei/v1/player/x"}]
    return streams


def _sound_tracks(video: Video) -> list[dict[str, Any]]:
    """What formats say of their sound track; nothing where there is one only."""
    if not video.dubbed:
        return [{}]
    dubbed = {"id": f"{video.dubbed}.10", "displayName": "Dubbed", "audioIsDefault": True, "isAutoDubbed": True}
    original = {"id": "en.4", "displayName": "English original", "audioIsDefault": False}
    return [{"audioTrack": dubbed}, {"audioTrack": original}]


def _format(
    video: Video,
    client: str,
    itag: int,
    quality: str,
    bitrate: int,
    track: dict[str, Any],
    without_address: bool,
    *,
    drm: bool,
) -> dict[str, Any]:
    about: dict[str, Any] = {
        "itag": itag,
        "mimeType": 'audio/webm; codecs="opus"',
        "bitrate": bitrate,
        "averageBitrate": bitrate,
        "contentLength": str(len(video.media)),
        "quality": "tiny",
        "audioQuality": quality,
        "approxDurationMs": str(video.length_s * 1000),
        "audioSampleRate": "48000",
        "audioChannels": 1,
        "lastModified": "1741312249807309",
        **track,
    }
    if drm:
        about["drmFamilies"] = ["WIDEVINE"]
    if without_address:
        return about
    if video.media_address:
        return {**about, "url": video.media_address}
    if client not in CIPHERED_CLIENTS:
        return {**about, "url": _media_address(video, client, itag, track, solved=True)}
    cipher = {
        "s": scrambled_signature(video, client),
        "sp": "sig",
        "url": _media_address(video, client, itag, track, solved=False),
    }
    return {**about, "signatureCipher": urlencode(cipher)}


def _media_address(video: Video, client: str, itag: int, track: dict[str, Any], *, solved: bool) -> str:
    fields = {
        "expire": EXPIRES,
        "id": video.id,
        "itag": itag,
        "source": "youtube",
        "requiressl": "yes",
        "mime": "audio/webm",
        "clen": len(video.media),
        "dur": video.length_s,
        "c": client,
        "sparams": "expire,id,itag,source,requiressl,mime,clen,dur",
    }
    if track:
        fields["xtags"] = f"lang={track['audioTrack']['id'].partition('.')[0]}"
    fields |= {"sig": right_signature(video, client)} if solved else {"n": challenge_n(video, client)}
    return f"https://{MEDIA_HOST}/videoplayback?{urlencode(fields)}"


def _captions(video: Video) -> dict[str, Any]:
    languages = [("en", "English"), ("de", "German"), ("fr", "French")]
    return {
        "captionTracks": [
            {
                "baseUrl": video.captions_address or _captions_address(video, track),
                "name": {"runs": [{"text": track.name}]},
                "vssId": f"{'a' if track.automatic else ''}.{track.language}",
                "languageCode": track.language,
                **({"kind": "asr"} if track.automatic else {}),
                "isTranslatable": True,
                "trackName": "",
            }
            for track in video.tracks
        ],
        "audioTracks": [{"captionTrackIndices": list(range(len(video.tracks)))}],
        "translationLanguages": [
            {"languageCode": code, "languageName": {"runs": [{"text": name}]}} for code, name in languages
        ],
    }


def _captions_address(video: Video, track: Track) -> str:
    fields = {"v": video.id, "caps": "asr", "expire": EXPIRES, "key": "yt8", "lang": track.language}
    if track.automatic:
        fields["kind"] = "asr"
    if video.captions_token:
        fields["exp"] = "xpe"  # the experiment by which captions are for holders of a token
    return f"https://www.youtube.com/api/timedtext?{urlencode(fields)}"


# ---------------------------------------------------------------- pages


def watch_page(video: Video | None, answer: dict[str, Any], *, signed_in: bool = False) -> str:
    """The page of a video: settings of the player, its first answer, and what stands around it."""
    data = {
        "responseContext": {"visitorData": VISITOR},
        "contents": {"twoColumnWatchNextResults": {"results": {"results": {"contents": _around(video)}}}},
        "topbar": {"desktopTopbarRenderer": {"logo": {"topbarLogoRenderer": {"tooltipText": _runs("YouTube Home")}}}},
    }
    note = "<p>This video is made for kids</p>" if video and video.made_for_kids else ""
    return page(
        f"<script>var ytInitialPlayerResponse = {json.dumps(answer)};</script>"
        f"<script>var ytInitialData = {json.dumps(data)};</script>{note}",
        title=video.title if video else "YouTube",
        signed_in=signed_in,
    )


def page(content: str, *, title: str = "YouTube", client: str = WEB, signed_in: bool = False) -> str:
    """Any page of the site: each carries the settings that further requests are made with."""
    return (
        f"<!DOCTYPE html><html lang=en><head><title>{title} - YouTube</title>"
        f"<script>ytcfg.set({json.dumps(_settings(client, signed_in=signed_in))});</script></head>"
        f"<body>{content}</body></html>"
    )


def _settings(client: str, *, signed_in: bool) -> dict[str, Any]:
    kind = "EMBEDDED_PLAYER" if client == EMBEDDED else "KEVLAR_WATCH"
    settings: dict[str, Any] = {
        "INNERTUBE_API_KEY": "loopback",
        "INNERTUBE_CLIENT_NAME": client,
        "INNERTUBE_CLIENT_VERSION": "2.20261124.01.00",
        "INNERTUBE_CONTEXT": {
            "client": {
                "hl": "en",
                "gl": "GR",
                "clientName": client,
                "clientVersion": "2.20261124.01.00",
                "visitorData": VISITOR,
            }
        },
        "INNERTUBE_CONTEXT_CLIENT_NAME": 56 if client == EMBEDDED else 1,
        "LOGGED_IN": signed_in,
        "PLAYER_JS_URL": PLAYER_PATH,
        "STS": SIGNATURE_TIMESTAMP,
        "VISITOR_DATA": VISITOR,
        "WEB_PLAYER_CONTEXT_CONFIGS": {f"WEB_PLAYER_CONTEXT_CONFIG_ID_{kind}": {"jsUrl": PLAYER_PATH}},
    }
    if signed_in:
        settings |= {"DATASYNC_ID": "117000000000000000001||", "SESSION_INDEX": 0}
    return settings


def _runs(text: str) -> dict[str, Any]:
    return {"runs": [{"text": text}]}


def _around(video: Video | None) -> list[dict[str, Any]]:
    if video is None:
        return []
    owner = {"title": _runs("Gardeners"), "subscriberCountText": {"simpleText": "12 subscribers"}}
    return [
        {"videoPrimaryInfoRenderer": {"title": _runs(video.title), "dateText": {"simpleText": "Jan 27, 2025"}}},
        {"videoSecondaryInfoRenderer": {"owner": {"videoOwnerRenderer": owner}}},
    ]
