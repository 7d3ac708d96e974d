"""The YouTube on loopback is strict where the real one is: names, challenges, ranges, tokens and lists."""

import http.client
import json
import ssl
import subprocess
import time
from importlib import import_module
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from yt_dlp import YoutubeDL

from pipeline.stages.download_options import DownloadOptions, bundled_runtime
from pipeline.stages.ytdlp_options import ytdlp_params
from tests.youtube.answers import challenge_n, scrambled_signature
from tests.youtube.lists import Entry, VideoList
from tests.youtube.script import changed_n, ordered_signature, player_script
from tests.youtube.site import Tube
from tests.youtube.videos import TV, VISION, Video, automatic_track, manual_track

VIDEO = "garden_0001"


class Connection:
    """One connection through the proxy."""

    def __init__(self, tube: Tube, host: str = "www.youtube.com", context: ssl.SSLContext | None = None) -> None:
        context = context or ssl.create_default_context(cafile=str(tube.authority))
        address = urlsplit(tube.proxy)
        self.http = http.client.HTTPSConnection(address.hostname or "", address.port, context=context, timeout=10)
        self.http.set_tunnel(host, 443)

    def get(self, target: str, **headers: str) -> http.client.HTTPResponse:
        self.http.request("GET", target, headers=headers)
        return self.http.getresponse()


def solve(script: str, n: str, signature: str) -> list[dict[str, Any]]:
    """What yt-dlp's solver makes of a script, with the runtime that the product brings."""
    requests = [{"type": "n", "challenges": [n]}, {"type": "sig", "challenges": [signature]}]
    asked = json.dumps({"type": "player", "player": script, "requests": requests})
    scripts: Any = import_module("yt_dlp_ejs.yt.solver")
    solver = f"{scripts.lib()}\nObject.assign(globalThis, lib);\n{scripts.core()}\n"
    done = subprocess.run(
        [str(bundled_runtime().path), "run", "--ext=js", "--no-remote", "--no-npm", "-"],
        input=f"{solver}console.log(JSON.stringify(jsc({asked})))",
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)["responses"]
    return answers


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "host", ["example.org", "youtube.com.example.org", "127.0.0.1", "localhost", "googlevideo.com.test"]
)
def test_it_opens_no_name_but_youtubes(host: str, tube: Tube) -> None:
    with pytest.raises(OSError, match="502"):
        Connection(tube, host).get("/")
    assert tube.refused == [f"{host}:443"]
    assert tube.asked == []


def test_it_opens_no_other_port_and_nothing_without_tls(tube: Tube) -> None:
    address = urlsplit(tube.proxy)
    plain = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    plain.request("GET", "http://www.youtube.com/watch?v=x")
    assert plain.getresponse().status == 502
    other = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    other.set_tunnel("www.youtube.com", 80)
    with pytest.raises(OSError, match="502"):
        other.request("GET", "/")
    assert tube.refused == ["http://www.youtube.com/watch?v=x", "www.youtube.com:80"]


def test_it_is_trusted_by_its_own_authority_alone(tube: Tube) -> None:
    stranger = Connection(tube, context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.get("/")
    assert tube.asked == []


# ---------------------------------------------------------------- challenges


def test_the_solver_finds_both_challenges_in_the_script() -> None:
    video = Video(VIDEO)
    n, signature = challenge_n(video, TV), scrambled_signature(video, TV)
    solved = solve(player_script(), n, signature)
    assert solved[0]["data"] == {n: changed_n(n)}
    assert solved[1]["data"] == {signature: ordered_signature(signature)}


def test_the_solver_finds_nothing_in_a_changed_script() -> None:
    assert [one["type"] for one in solve(player_script(solvable=False), "abc", "def")] == ["error", "error"]


def media_target(video: Video, **changed: str) -> str:
    fields = {"id": video.id, "itag": "251", "c": TV, "n": changed_n(challenge_n(video, TV))}
    fields["sig"] = ordered_signature(scrambled_signature(video, TV))
    return f"/videoplayback?{urlencode({**fields, **changed})}"


def test_media_come_whole_and_in_ranges(tube: Tube) -> None:
    video = tube.add(Video(VIDEO))
    media = Connection(tube, "rr1---sn-4g5edns6.googlevideo.com")
    assert media.get(media_target(video)).read() == video.media
    part = media.get(media_target(video), Range="bytes=100-199")
    assert (part.status, part.getheader("Content-Range")) == (206, f"bytes 100-199/{len(video.media)}")
    assert part.read() == video.media[100:200]


@pytest.mark.parametrize(
    "wrong",
    [{"n": challenge_n(Video(VIDEO), TV)}, {"n": ""}, {"sig": scrambled_signature(Video(VIDEO), TV)}, {"c": VISION}],
)
def test_media_are_refused_without_the_solution(wrong: dict[str, str], tube: Tube) -> None:
    video = tube.add(Video(VIDEO))
    answer = Connection(tube, "rr1---sn-4g5edns6.googlevideo.com").get(media_target(video, **wrong))
    assert (answer.status, answer.read()) == (403, b"")


def test_media_may_crawl_instead(tube: Tube) -> None:
    video = tube.add(Video(VIDEO, unsolved="crawl"))
    answer = Connection(tube, "rr1---sn-4g5edns6.googlevideo.com").get(media_target(video, n="unsolved"))
    started = time.monotonic()
    assert answer.read(1000) == video.media[:1000]
    assert 0.3 < time.monotonic() - started < 5


# ---------------------------------------------------------------- captions


@pytest.mark.parametrize("form", ["json3", "vtt"])
@pytest.mark.parametrize("automatic", [True, False])
def test_captions_come_in_both_forms_and_kinds(form: str, automatic: bool, tube: Tube) -> None:
    tracks = (manual_track(), automatic_track())
    tube.add(Video(VIDEO, tracks=tracks))
    target = f"/api/timedtext?v={VIDEO}&lang=en&fmt={form}" + ("&kind=asr" if automatic else "")
    assert Connection(tube).get(target).read().decode() == tracks[automatic].forms[form]


@pytest.mark.parametrize(
    ("treatment", "status"),
    [({"captions_status": 429}, 429), ({"captions_token": True}, 200), ({"hidden_token": True}, 200)],
)
def test_captions_can_be_refused_or_empty(treatment: dict[str, Any], status: int, tube: Tube) -> None:
    tube.add(Video(VIDEO, tracks=(manual_track(),), **treatment))
    answer = Connection(tube).get(f"/api/timedtext?v={VIDEO}&lang=en&fmt=json3")
    assert answer.status == status
    assert status == 429 or answer.read() == b""


# ---------------------------------------------------------------- lists


def flat(tube: Tube, url: str, **params: Any) -> dict[str, Any]:
    """What `yt-dlp --flat-playlist` would tell."""
    options = DownloadOptions(proxy=tube.proxy, request_pause_s=0)
    shared = ytdlp_params(options, socket_timeout_s=5, private=False)
    with YoutubeDL({**shared, "extract_flat": "in_playlist", "noplaylist": False, **params}) as ydl:
        found = ydl.extract_info(url, download=False)
        return {**found, "entries": list(found["entries"])}


def entries(count: int, start: int = 0) -> list[Entry]:
    return [Entry(f"listed{number:05d}", f"Talk {number}", 60 + number) for number in range(start, start + count)]


def test_a_playlist_comes_page_by_page_with_what_is_not_available(tube: Tube) -> None:
    gone = [Entry("private0001", "", None, "private"), Entry("deleted0001", "", None, "deleted")]
    found = tube.add_list(VideoList("PLgardeners01", "Talks of gardeners", [*gone, *entries(230)]))
    told = flat(tube, found.address)
    assert told["title"] == "Talks of gardeners"
    assert [one["title"] for one in told["entries"][:3]] == ["[Private video]", "[Deleted video]", "Talk 0"]
    assert [one["id"] for one in told["entries"][2:]] == [one.id for one in found.entries[2:]]
    assert (told["entries"][-1]["duration"], len(told["entries"])) == (289, 232)
    assert tube.paths().count("/youtubei/v1/browse") == 3  # once more with what is not available, then two pages


def test_only_as_many_pages_of_a_list_are_asked_for_as_are_wanted(tube: Tube) -> None:
    found = tube.add_list(VideoList("PLgardeners01", "Talks", entries(1000)))
    assert len(flat(tube, found.address, playlistend=50)["entries"]) == 50
    assert tube.paths() == ["/playlist", "/youtubei/v1/browse"]


def test_a_channel_comes_with_its_tabs(tube: Tube) -> None:
    channel = VideoList("UC" + "g" * 22, "Gardeners", entries(70), handle="@gardeners")
    channel.shorts = [Entry("short_00001", "A short", None, "short")]
    channel.broadcasts = [Entry("live_000001", "Now", None, "live"), Entry("soon_000001", "Soon", None, "upcoming")]
    tube.add_list(channel)
    told = flat(tube, f"{channel.address}/videos")
    assert (told["title"], len(told["entries"]), told["channel_id"]) == ("Gardeners - Videos", 70, channel.id)
    assert told["entries"][69]["duration"] == 129
    assert [tab["title"] for tab in flat(tube, channel.address)["entries"]] == [
        "Gardeners - Videos",
        "Gardeners - Live",
        "Gardeners - Shorts",
    ]
    broadcasts = flat(tube, f"https://www.youtube.com/channel/{channel.id}/streams")["entries"]
    assert [one["live_status"] for one in broadcasts] == ["is_live", "is_upcoming"]
    assert flat(tube, f"{channel.address}/shorts")["entries"][0]["id"] == "short_00001"


@pytest.mark.parametrize("path", ["/playlist?list=PLnobody00001", "/@nobody/videos"])
def test_a_list_that_is_not_there_is_refused_in_words(path: str, tube: Tube) -> None:
    with pytest.raises(Exception, match="does not exist|Not Found"):
        flat(tube, f"https://www.youtube.com{path}")
