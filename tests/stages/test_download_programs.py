"""No program but the JavaScript runtime is started for a download, whatever a site offers."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad
from yt_dlp.extractor.generic import GenericIE
from yt_dlp.utils import Popen

from pipeline.stages.download import Download, DownloadLimits, download
from pipeline.stages.download_options import DownloadOptions, JsRuntime
from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_options import ytdlp_params
from pipeline.stages.ytdlp_programs import confined, runtime_environment
from tests.loopback import Site, serving
from tests.stages.test_download import write_tone

LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=3)
PROGRAMS = [
    "ffmpeg",
    "ffprobe",
    "avconv",
    "avprobe",
    "rtmpdump",
    "aria2c",
    "curl",
    "wget",
    "axel",
    "http",
    "httpie",
    "mplayer",
    "mpv",
    "deno",
    "node",
    "bun",
    "qjs",
    "phantomjs",
    "bidiv",
    "fribidi",
    "kwalletd-query",
    "kwallet-query",
    "security",
    "AtomicParsley",
    "mkvpropedit",
    "setfattr",
    "xattr",
    "sh",
    "bash",
    "uname",
    "file",
]
HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n"
TAIL = "#EXTINF:3,\ntalk.wav\n#EXT-X-ENDLIST\n"
KEY = bytes(range(16))
PLAYLISTS = {
    "sample-aes": f'{HEAD}#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"\n{TAIL}',
    "sample-aes-behind": f'{HEAD}#EXT-X-KEY:URI="key",METHOD=SAMPLE-AES\n{TAIL}',
    "sample-aes-indented": f'{HEAD}  #EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="key"\n{TAIL}',
    "session-key": f'{HEAD}#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="key"\n{TAIL}',
    "no-method": f'{HEAD}#EXT-X-KEY:URI="key"\n{TAIL}',
    "drm": f'{HEAD}#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key"\n{TAIL}',
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    write_tone(folder / "talk.wav")
    for name, text in PLAYLISTS.items():
        (folder / f"{name}.m3u8").write_text(text)
    with serving(folder) as site:
        yield site


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fake of each program on PATH that leaves a mark when it runs; nobody may."""
    folder, marks = tmp_path / "programs", tmp_path / "marks"
    folder.mkdir()
    marks.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text(f'#!/bin/sh\necho "$@" > {marks}/{name}\necho "{name} version 9.9.9"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    yield marks
    assert [mark.name for mark in marks.iterdir()] == []


def fetch(url: str, site: Site, tmp_path: Path, **more: Any) -> Download:
    folder = tmp_path / "download"
    folder.mkdir(exist_ok=True)
    return download(url, folder=folder, limits=LIMITS, private_origins=[site.origin], **more)


def offering(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> None:
    """Have the extractor of any page do some work, and give what comes of it."""
    monkeypatch.setattr(GenericIE, "_real_extract", lambda *_: work())


@pytest.mark.parametrize("name", PLAYLISTS)
def test_an_encryption_that_ffmpeg_alone_reads_is_refused(name: str, marks: Path, site: Site, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"encrypted in a way|DRM") as caught:
        fetch(site.add_page("/a.html", f"{name}.m3u8", tag="video"), site, tmp_path)
    assert caught.value.permanent
    assert "GET /key" not in site.requests


@pytest.mark.parametrize("method", ["SAMPLE-AES", "AES-128"])
def test_without_the_cipher_library_nothing_else_decrypts(
    method: str, marks: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yt_dlp.dependencies.Cryptodome.AES", None)
    (site.folder / "talk.m3u8").write_text(f'{HEAD}#EXT-X-KEY:METHOD={method},URI="key"\n{TAIL}')
    with pytest.raises(StageError, match="encrypted") as caught:
        fetch(site.add_page("/a.html", "talk.m3u8", tag="video"), site, tmp_path)
    assert caught.value.permanent is (method == "SAMPLE-AES")
    assert "GET /key" not in site.requests


@pytest.mark.parametrize(
    "media", ["rtmp://127.0.0.1:9/a", "rtsp://127.0.0.1:9/a", "mms://127.0.0.1:9/a", "ws://127.0.0.1:9/a"]
)
def test_another_scheme_on_a_page_is_refused(media: str, marks: Path, site: Site, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"which is not opened") as caught:
        fetch(site.add_page("/a.html", media, tag="video"), site, tmp_path)
    assert caught.value.permanent


FORMATS: dict[str, dict[str, Any]] = {
    **{
        name: {"url": "/talk.wav", "protocol": name}
        for name in (
            "rtmp", "rtmpe", "rtmp_ffmpeg", "rtsp", "mms", "f4m", "ism", "mhtml", "websocket_frag", "niconico_live",
            "fc2_live", "youtube_live_chat", "youtube_live_chat_replay", "bunnycdn", "soopvod", "ftp", "data",
            "http_dash_segments_generator", "m3u8_frag_urls", "https+rtmp", "https+https", "m3u8+m3u8", "unheard-of",
        )
    },
    "lies http": {"url": "rtmp://127.0.0.1:9/a", "protocol": "http"},
    "lies https": {"url": "file:///etc/hostname", "protocol": "https"},
    "lies m3u8": {"url": "/sample-aes.m3u8", "protocol": "m3u8"},
    "live": {"url": "/talk.wav", "protocol": "m3u8", "is_live": True},
    "dash without pieces": {"url": "/talk.wav", "protocol": "http_dash_segments", "fragments": "a"},
    "dash that makes pieces": {"url": "/talk.wav", "protocol": "http_dash_segments", "fragments": lambda _: [{}]},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_any_other_way_to_send_a_recording_is_refused(
    name: str, marks: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = dict(FORMATS[name])
    url = given["url"]
    form = {"format_id": "0", "ext": "mp4", **given, "url": site.origin + url if url.startswith("/") else url}
    offering(monkeypatch, lambda: {"id": "a", "title": "A", "formats": [form], "is_live": given.get("is_live")})
    with pytest.raises(StageError):
        fetch(site.origin + "/a.html", site, tmp_path)
    assert "GET /talk.wav" not in site.requests


def test_what_can_be_fetched_is_taken_where_a_better_form_cannot(
    marks: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms = [
        {"format_id": "plain", "ext": "wav", "url": f"{site.origin}/talk.wav", "quality": 1},
        {"format_id": "better", "ext": "mp4", "url": "rtmp://127.0.0.1:9/a", "protocol": "rtmp", "quality": 9},
    ]
    tracks = {"en": [{"ext": "vtt", "url": f"{site.origin}/talk.wav", "protocol": "youtube_live_chat"}]}
    offering(monkeypatch, lambda: {"id": "a", "title": "A", "formats": forms, "subtitles": tracks})
    found = fetch(site.origin + "/a.html", site, tmp_path)
    assert found.audio_path.read_bytes() == (site.folder / "talk.wav").read_bytes()
    assert found.captions_path is None


def test_pictures_and_postprocessors_that_an_extractor_names_are_left_alone(
    marks: Path, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {
        "id": "a",
        "title": "$(curl x) `curl`; curl",
        "url": f"{site.origin}/talk.wav",
        "ext": "m4a",
        "container": "m4a_dash",
        "stretched_ratio": 2,
        "thumbnails": [{"url": f"{site.origin}/a.webp"}],
        "chapters": [{"start_time": 0, "end_time": 1, "title": "a"}],
    }
    offering(monkeypatch, lambda: dict(answer))
    assert fetch(site.origin + "/a.html", site, tmp_path).audio_path.is_file()
    assert "GET /a.webp" not in site.requests


# ---------------------------------------------------------------- encrypted recordings that are read


def encrypted(site: Site, key_url: str) -> str:
    plain = (site.folder / "talk.wav").read_bytes()
    cipher = AES.new(KEY, AES.MODE_CBC, iv=bytes(16))
    (site.folder / "part.ts").write_bytes(cipher.encrypt(pad(plain, 16)))
    (site.folder / "key").write_bytes(KEY)
    tag = f'#EXT-X-KEY:METHOD=AES-128,URI="{key_url}",IV=0x{"0" * 32}\n'
    (site.folder / "talk.m3u8").write_text(f"{HEAD}{tag}#EXTINF:3,\npart.ts\n#EXT-X-ENDLIST\n")
    return site.add_page("/a.html", "talk.m3u8", tag="video")


def test_aes_128_is_decrypted_here_with_the_key_that_the_playlist_names(
    marks: Path, site: Site, tmp_path: Path
) -> None:
    found = fetch(encrypted(site, "key"), site, tmp_path)
    assert found.audio_path.read_bytes() == (site.folder / "talk.wav").read_bytes()
    assert site.requests.count("GET /key") == 1


def test_a_key_at_an_internal_address_is_not_fetched(marks: Path, site: Site, tmp_path: Path) -> None:
    with serving(site.folder) as other:
        with pytest.raises(StageError, match="private network"):
            fetch(encrypted(site, f"{other.origin}/key"), site, tmp_path)
        assert other.requests == []


# ---------------------------------------------------------------- whatever starts it


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run(["curl", "x"], check=False),
        lambda: subprocess.run("curl x", shell=True, check=False),  # noqa: S602
        lambda: subprocess.run([sys.executable, "-c", "1"], check=False),
        lambda: subprocess.run(["curl"], executable=sys.executable, check=False),
        lambda: os.system("curl x"),  # noqa: S605
        lambda: os.popen("curl x"),  # noqa: S605
        lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", "1"], {}),
        lambda: os.posix_spawnp("curl", ["curl"], dict(os.environ)),
        lambda: os.spawnlp(os.P_WAIT, "curl", "curl"),
        lambda: os.fork(),
        lambda: os.execvp("curl", ["curl"]),
        lambda: Popen.run(["curl", "x"]),
        lambda: Popen(["curl"]),
    ],
    ids=[
        "run",
        "shell",
        "python",
        "executable",
        "system",
        "popen",
        "spawn",
        "spawnp",
        "spawnlp",
        "fork",
        "exec",
        "yt-dlp",
        "yt-dlp-plain",
    ],
)
@pytest.mark.parametrize("in_thread", [False, True])
def test_a_start_from_within_an_extraction_is_refused(
    start: Callable[[], Any],
    in_thread: bool,
    marks: Path,
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            start()
        except BaseException as error:
            caught.append(error)
            raise

    def in_another() -> None:
        thread = threading.Thread(target=work)
        monkeypatch.setattr(threading, "excepthook", lambda _: None)
        thread.start()
        thread.join()
        raise caught[0]

    offering(monkeypatch, in_another if in_thread else work)
    with pytest.raises(StageError, match="no other program is started"):
        fetch(site.origin + "/a.html", site, tmp_path)
    assert isinstance(caught[0], StageError)


def test_the_search_path_comes_back_and_programs_start_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    path = os.environ["PATH"]
    offering(monkeypatch, lambda: seen.append(os.environ["PATH"]))
    with pytest.raises(StageError):
        fetch(site.origin + "/a.html", site, tmp_path)
    assert seen == ["/nonexistent"]
    assert os.environ["PATH"] == path
    assert subprocess.run([sys.executable, "-c", "1"], check=False).returncode == 0


def test_other_threads_go_on_and_the_last_extraction_gives_the_path_back(monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.environ["PATH"]
    go, went = threading.Event(), threading.Event()
    codes: list[int] = []

    def elsewhere() -> None:
        go.wait(10)
        codes.append(subprocess.run([sys.executable, "-c", "1"], check=False).returncode)
        went.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    runtime = DownloadOptions().js_runtime
    with confined(runtime):
        with confined(runtime):
            go.set()
            assert went.wait(20)
        assert os.environ["PATH"] == "/nonexistent"
    thread.join()
    assert codes == [0]
    assert os.environ["PATH"] == path


# ---------------------------------------------------------------- the runtime


def test_the_runtime_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "deno"
    program.write_text(f"#!/bin/sh\nexport -p > {tmp_path}/seen\necho deno 2.9.8\n")
    program.chmod(0o755)
    for name in ("SECRET_KEY", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY", "REDIS_URL", "HOME"):
        monkeypatch.setenv(name, "ann:s3cret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    with confined(JsRuntime("deno", program)):
        assert "deno 2.9.8" in Popen.run([str(program), "--version"], text=True, stdout=subprocess.PIPE)[0]
    seen = (tmp_path / "seen").read_text()
    assert "s3cret" not in seen
    assert "C.UTF-8" in seen
    assert not {"SECRET_KEY", "HOME", "HTTPS_PROXY"}.intersection(runtime_environment(os.environ))


def test_outside_of_an_extraction_yt_dlp_starts_not_even_the_runtime() -> None:
    with pytest.raises(StageError, match="no other program is started"):
        Popen.run([str(DownloadOptions().js_runtime.path), "--version"])


def test_nothing_that_starts_a_program_is_asked_of_yt_dlp() -> None:
    params = ytdlp_params(DownloadOptions(), socket_timeout_s=3, private=False)
    assert params["postprocessors"] == []
    assert not any(
        params[name] for name in ("cookiesfrombrowser", "netrc_cmd", "usenetrc", "exec_cmd", "writethumbnail")
    )
    assert not any("postprocessor" in name and value for name, value in params.items())
