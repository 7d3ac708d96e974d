"""The site itself: what it has, what it was asked, and how it answers."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.youtube import answers
from tests.youtube.lists import VideoList, browse_answer, find_list, list_data, resolved, unknown_list
from tests.youtube.script import PLAYER_ID, PLAYER_PATH, changed_n, player_script
from tests.youtube.videos import EMBEDDED, WEB, Video, interview

HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json; charset=UTF-8", "text/plain"
SCRIPT, VTT, WEBM = "text/javascript", "text/vtt; charset=UTF-8", "audio/webm"
PLAYLIST = "application/vnd.apple.mpegurl"
LIVE_MANIFEST = (
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=290000,CODECS="mp4a.40.5,avc1.42c00b",RESOLUTION=256x144,FRAME-RATE=30\n'
    f"https://{answers.MANIFEST_HOST}/api/manifest/hls_playlist/itag/91/playlist/index.m3u8\n"
)


@dataclass(frozen=True)
class Asked:
    """One request that reached the site."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    client: str = ""  # of the requests to its API
    cookies: str = ""
    authorization: str = ""
    range: str = ""


@dataclass(frozen=True)
class Answer:
    """What the site sends back."""

    content: bytes = b""
    kind: str = TEXT
    status: int = 200
    location: str = ""
    crawls: bool = False


@dataclass
class Tube:
    """The site: what it has, what it was asked, and what it refused to open."""

    proxy: str = ""
    authority: Path = Path()  # the certificate that must be trusted
    videos: dict[str, Video] = field(default_factory=dict)
    lists: dict[str, VideoList] = field(default_factory=dict)
    solvable: bool = True  # whether the solver finds the challenges in the player script
    misleading: bool = False  # whether it works out a wrong n
    page_status: int = 200  # of the watch page
    ends_sessions: bool = False  # as it does with cookies that a browser goes on using
    asked: list[Asked] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, video: Video) -> Video:
        """A video gets the spoken interview as its sound, unless it has its own."""
        video.media = video.media or interview()[0]
        self.videos[video.id] = video
        return video

    def add_list(self, video_list: VideoList) -> VideoList:
        self.lists[video_list.id] = video_list
        return video_list

    def paths(self, video: Video | None = None) -> list[str]:
        """The paths asked for, in order; those that name one video, if one is given."""
        return [one.path for one in self.asked if video is None or video.id in one.query.values()]

    def clients(self, video: Video) -> list[str]:
        """The clients that asked the player's API about a video, in order."""
        return [one.client for one in self.asked if one.client and one.query.get("videoId") == video.id]

    # ------------------------------------------------------------ answers

    def answer(self, asked: Asked, sent: dict[str, Any]) -> Answer:
        if asked.host.endswith(".googlevideo.com"):
            return self._media(asked)
        video = self.videos.get(asked.query.get("v", ""))
        if asked.path == "/watch":
            return self._watch(asked, asked.query.get("v", ""))
        if asked.path == "/api/timedtext":
            return self._captions(asked, video)
        if asked.path.startswith("/embed/"):
            return _text(answers.page("", client=EMBEDDED, signed_in=_signed_in(asked)), HTML)
        if asked.path.startswith("/s/player/"):
            return (
                _text(player_script(solvable=self.solvable, misleading=self.misleading), SCRIPT)
                if asked.path == PLAYER_PATH
                else Answer(status=404)
            )
        if asked.path == "/iframe_api":
            return _text(
                f"var scriptUrl = 'https:\\/\\/www.youtube.com\\/s\\/player\\/{PLAYER_ID}\\/www-widgetapi.js';", SCRIPT
            )
        if asked.path == "/sw.js":
            return _text("self.addEventListener('install', function() {});", SCRIPT)
        if asked.path.startswith("/youtubei/v1/"):
            return self._api(asked, sent)
        return self._list(asked)

    def _list(self, asked: Asked) -> Answer:
        found = find_list(self.lists.values(), asked.path, asked.query.get("list", ""))
        if found is None and asked.path != "/playlist":
            return Answer(status=404)
        if found and found[0].status != 200:
            return Answer(status=found[0].status)
        data = list_data(*found) if found else unknown_list()
        return _text(answers.page(f"<script>var ytInitialData = {json.dumps(data)};</script>"), HTML)

    def _watch(self, asked: Asked, video_id: str) -> Answer:
        if self.page_status != 200:
            return Answer(b"Too Many Requests", status=self.page_status)
        video = self.videos.get(video_id)
        verdict = video.verdict_for(WEB, signed_in=_signed_in(asked)) if video else "nonexistent"
        if verdict.isdigit():
            verdict = "ok"  # the API refuses, the page does not
        said = answers.player_answer(video or Video(video_id), WEB, verdict)
        return _text(answers.watch_page(video, said, signed_in=_signed_in(asked)), HTML)

    def _api(self, asked: Asked, sent: dict[str, Any]) -> Answer:
        if asked.path.endswith("/player"):
            return self._player(asked, asked.query.get("videoId", ""))
        told = {"browse": browse_answer, "resolve_url": resolved}.get(asked.path.rpartition("/")[2])
        if told and (found := told(self.lists.values(), sent)):
            return _json(found[1], status=found[0])
        if asked.path.endswith("/next"):
            return _json({"contents": {"twoColumnWatchNextResults": {}}})
        return _json({"error": {"code": 404, "message": "Requested entity was not found."}}, status=404)

    def _player(self, asked: Asked, video_id: str) -> Answer:
        video = self.videos.get(video_id)
        if video is None:
            return _json(answers.player_answer(Video(video_id), asked.client, "nonexistent"))
        verdict = video.verdict_for(asked.client, signed_in=_signed_in(asked))
        if verdict.isdigit():
            return Answer(b"{}", JSON, status=int(verdict))
        return _json(answers.player_answer(video, asked.client, verdict))

    def _captions(self, asked: Asked, video: Video | None) -> Answer:
        if video is None:
            return Answer(status=404)
        if video.captions_status != 200:
            return Answer(b"Too Many Requests", HTML, status=video.captions_status)
        if (video.captions_token or video.hidden_token) and "pot" not in asked.query:
            return Answer(b"", HTML)  # as the real one: no error, and nothing in it
        wanted = (asked.query.get("lang"), asked.query.get("kind") == "asr")
        track = next((one for one in video.tracks if (one.language, one.automatic) == wanted), None)
        form = asked.query.get("fmt", "srv1")
        if track is None or "tlang" in asked.query or form not in track.forms:
            return Answer(b"", HTML)
        return _text(track.forms[form], JSON if form == "json3" else VTT)

    def _media(self, asked: Asked) -> Answer:
        if asked.host == answers.MANIFEST_HOST:
            return _text(LIVE_MANIFEST, PLAYLIST)
        video, client = self.videos.get(asked.query.get("id", "")), asked.query.get("c", "")
        if video is None:
            return Answer(status=404)
        if video.media_redirect:
            return Answer(status=302, location=video.media_redirect)
        if video.media_status != 200:
            return Answer(status=video.media_status)
        if asked.query.get("sig") != answers.right_signature(video, client):
            return Answer(status=403)
        if client in answers.CIPHERED_CLIENTS:
            solved = asked.query.get("n") == changed_n(answers.challenge_n(video, client))
            if not solved and video.unsolved == "forbidden":
                return Answer(status=403)
            return Answer(video.media, WEBM, crawls=not solved)
        return Answer(video.media, WEBM)


def _text(content: str, kind: str) -> Answer:
    return Answer(content.encode(), kind)


def _json(content: dict[str, Any], *, status: int = 200) -> Answer:
    return Answer(json.dumps(content).encode(), JSON, status=status)


def _signed_in(asked: Asked) -> bool:
    """Requests of an account carry its cookies; those to the API also a hash made from one of them."""
    return "LOGIN_INFO=" in asked.cookies and "SAPISID=" in asked.cookies
