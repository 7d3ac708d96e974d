"""YouTube to a ready video for real: queue server, workers, yt-dlp with its runtime, the YouTube on loopback."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from crossmodal import embedded
from tests import fake_youtube
from tests.loopback import serving
from tests.pipeline.machine import Machine, wait_for
from tests.youtube.lists import Entry, VideoList
from tests.youtube.site import Tube
from tests.youtube.videos import SPOKEN, VISION, Video, automatic_track, manual_track

# Ten times what it takes on an idle machine.
pytestmark = pytest.mark.timeout(300)

# What the site says → a part of the sentence in the list of videos.
FINAL = {
    "private": "private",
    "removed": "removed",
    "terminated": "removed",
    "copyright": "copyright",
    "members": "members",
    "age": "adults",
    "geo": "country",
    "live": "live broadcast",
    "upcoming": "not been broadcast yet",
}
PASSING = {"sabr": "SABR", "empty": "named no recording", "not-available": "not available"}


@pytest.fixture(scope="module")
def tube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tube]:
    with fake_youtube.serving(tmp_path_factory.mktemp("tube")) as tube:
        yield tube


@pytest.fixture(scope="module")
def machine(tube: Tube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One for all tests here, since migrating and starting workers takes seconds; each test adds its own videos."""
    var_dir = tmp_path_factory.mktemp("machine") / "var"
    settings = {
        "DOWNLOAD_PROXY": tube.proxy,
        "SSL_CERT_FILE": str(tube.authority),
        "DOWNLOAD_PAUSE_S": "0",
        "DOWNLOAD_REQUEST_PAUSE_S": "0",
    }
    with embedded.running(var_dir) as redis_url:
        machine = Machine(var_dir, redis_url, settings)
        try:
            machine.manage("migrate", "--verbosity", "0")
            yield machine
        finally:
            machine.stop()


def state(machine: Machine, pk: int) -> str:
    return str(machine.video(pk)["state"])


def site_of_youtube(machine: Machine) -> dict[str, str]:
    (row,) = machine.rows("SELECT * FROM pipeline_downloadsite WHERE name = 'youtube.com'")
    return row


def rest_of_youtube(machine: Machine) -> timedelta:
    until = site_of_youtube(machine)["rests_until"]
    return datetime.fromisoformat(until).replace(tzinfo=UTC) - datetime.now(UTC) if until else timedelta(0)


def taken_in_turns(tube: Tube) -> bool:
    """Whether the requests for one video ended before those for another began, over all workers."""
    requests = [(one.path, one.query) for one in tube.asked]
    named = [(path, query.get("videoId") or query.get("v") or query.get("id")) for path, query in requests]
    of_videos = [(path, video) for path, video in named if video]
    return all(video == before or path == "/watch" for (_, before), (path, video) in pairwise(of_videos))


def pass_the_time(machine: Machine) -> None:
    """Nothing waits for its hour any more; the next look finds it, be it this one or a worker's own."""
    machine.change("UPDATE pipeline_video SET waits_until = NULL")
    machine.change("UPDATE pipeline_downloadsite SET rests_until = NULL, called = NULL")
    machine.manage("process", "--format", "json")


def test_a_missing_runtime_is_named_and_its_video_becomes_ready_with_one(machine: Machine, tube: Tube) -> None:
    video = tube.add(Video("garden_0001", verdicts={VISION: "not-available"}, tracks=(automatic_track(),)))
    (pk,) = machine.add(video.address)
    machine.start_worker(DOWNLOAD_JS_RUNTIME="deno:/nonexistent/deno")
    wait_for(lambda: bool(machine.video(pk)["error_message"]))
    row = machine.video(pk)
    assert (row["state"], row["error_permanent"]) == ("queued", 0)
    assert "JavaScript runtime" in row["error_message"]

    machine.stop_worker()
    machine.start_worker()
    pass_the_time(machine)
    wait_for(lambda: state(machine, pk) == "ready")
    row = machine.video(pk)
    assert (row["title"], row["captions_kind"], row["error_message"]) == ("A day in the garden", "automatic", "")
    assert row["duration_s"] == pytest.approx(11.6, abs=0.1)
    segments = machine.rows("SELECT text, exclusion FROM pipeline_segment WHERE video_id = ? ORDER BY position", pk)
    assert segments == [{"text": text, "exclusion": ""} for _, text in SPOKEN]
    assert tube.paths().count("/videoplayback") == 1
    assert tube.refused == []


def test_a_worker_that_is_killed_lets_go_of_the_site(machine: Machine, tube: Tube, tmp_path: Path) -> None:
    hanging = tmp_path / "deno"
    hanging.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "deno 2.9.8" && exit\nexec sleep 1000\n')
    hanging.chmod(0o755)
    for worker in machine.workers:
        worker.terminate()
        worker.wait(30)
    worker = machine.start_worker(DOWNLOAD_JS_RUNTIME=f"deno:{hanging}")
    videos = [tube.add(Video(f"killed_{number:04d}", tracks=(automatic_track(),))) for number in range(2)]
    pks = machine.add(*[video.address for video in videos])
    wait_for(lambda: state(machine, pks[0]) == "fetching")
    worker.kill()
    worker.wait()
    assert str(site_of_youtube(machine)["holder"]) == str(pks[0])

    machine.start_worker()
    machine.manage("process", "--format", "json")
    wait_for(lambda: [state(machine, pk) for pk in pks] == ["ready"] * 2)
    assert site_of_youtube(machine)["holder"] is None


def test_a_playlist_is_read_by_a_worker_and_what_is_chosen_becomes_ready(machine: Machine, tube: Tube) -> None:
    video = tube.add(Video("garden_0002", title="Talk 2", tracks=(automatic_track(),)))
    entries = [
        Entry("garden_0009", "Talk 1", 60),
        Entry(video.id, "Talk 2", 12),
        Entry("garden_0008", "", None, "private"),
    ]
    playlist = tube.add_list(VideoList("PLgardeners01", "Talks", entries))
    machine.start_worker()
    ask = f"from pipeline.listing import ask, look; url = {playlist.address!r}; "
    machine.manage("shell", "-c", ask + "ask(url)")
    wait_for(lambda: machine.manage("shell", "-c", ask + "print(look(url).state)").strip().endswith("done"))

    document = json.loads(
        machine.manage("add_video", "--list", playlist.address, "--submit", "2", "--split", "test", "--format", "json")
    )
    assert [bool(entry["problem"]) for entry in document["entries"]] == [False, False, True]
    (created,) = document["created"]
    wait_for(lambda: machine.video(created["id"])["state"] == "ready")
    assert machine.video(created["id"])["title"] == "Talk 2"
    assert tube.refused == []


def test_each_refusal_ends_in_its_state_with_its_sentence(machine: Machine, tube: Tube) -> None:
    said = {**FINAL, **PASSING}
    videos = [tube.add(Video(f"refused{number:04d}", verdict=verdict)) for number, verdict in enumerate(said)]
    forbidden = tube.add(Video("forbidden01", media_status=403))
    machine.start_worker(2)
    pks = machine.add(*[video.address for video in [*videos, forbidden]])
    wait_for(lambda: all(machine.video(pk)["error_message"] for pk in pks))

    rows = {verdict: machine.video(pk) for verdict, pk in zip([*said, "forbidden"], pks, strict=True)}
    told = {verdict: row["error_message"] for verdict, row in rows.items()}
    assert {verdict for verdict, row in rows.items() if (row["state"], row["error_permanent"]) == ("failed", 1)} == set(
        FINAL
    )
    assert {rows[verdict]["state"] for verdict in [*PASSING, "forbidden"]} == {"queued"}
    assert [verdict for verdict, part in said.items() if part not in told[verdict]] == []
    assert "HTTP 403" in told["forbidden"]
    assert taken_in_turns(tube)
    for video in [*videos, forbidden]:
        video.verdict = "removed"  # settles what would be tried again during the next tests


def test_a_recording_on_a_private_address_is_not_opened(machine: Machine, tube: Tube, tmp_path: Path) -> None:
    with serving(tmp_path) as other:
        video = tube.add(Video("inside_0001", media_address=f"{other.origin}/inside"))
        machine.start_worker()
        (pk,) = machine.add(video.address)
        wait_for(lambda: state(machine, pk) == "failed")
        assert other.requests == []
    row = machine.video(pk)
    assert ("private network" in row["error_message"], row["error_permanent"]) == (True, 1)
    assert tube.refused == []


def test_no_program_is_started_for_a_site_that_wants_one(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs, marks = tmp_path / "programs", tmp_path / "marks"
    for folder in (programs, marks):
        folder.mkdir()
    for name in ("ffmpeg", "ffprobe", "avconv", "rtmpdump", "aria2c", "curl", "wget", "axel", "http", "mplayer", "mpv"):
        (programs / name).write_text(f"#!/bin/sh\n: > {marks}/{name}\necho {name} version 7.0\n")
        (programs / name).chmod(0o755)
    (tmp_path / "talk.m3u8").write_text(
        '#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"\n#EXTINF:3,\na.ts\n#EXT-X-ENDLIST\n'
    )
    with serving(tmp_path) as site:
        monkeypatch.setitem(machine.environment, "DOWNLOAD_PRIVATE_ORIGINS", site.origin)
        monkeypatch.setitem(machine.environment, "PATH", f"{programs}:{machine.environment['PATH']}")
        for worker in machine.workers:
            worker.terminate()
            worker.wait(30)
        machine.start_worker()
        addresses = [
            site.add_page("/encrypted.html", "talk.m3u8", tag="video"),
            site.add_page("/rtmp.html", "rtmp://127.0.0.1:9/talk", tag="video"),
        ]
        pks = machine.add(*addresses)
        wait_for(lambda: [state(machine, pk) for pk in pks] == ["failed"] * 2)
        machine.stop_worker()
        assert "GET /key" not in site.requests
    told = [machine.video(pk)["error_message"] for pk in pks]
    assert ["SAMPLE-AES" in told[0], "not opened" in told[1]] == [True, True]
    assert list(marks.iterdir()) == []


def test_captions_wait_while_the_recording_is_kept(machine: Machine, tube: Tube) -> None:
    busy = tube.add(Video("captions429", tracks=(automatic_track(),), captions_status=429))
    token = tube.add(Video("captionstok", tracks=(manual_track(),), captions_token=True))
    without = tube.add(Video("captionsno1", tracks=(automatic_track("de"),)))
    machine.start_worker()
    pks = machine.add(busy.address, token.address, without.address)
    wait_for(lambda: [state(machine, pk) for pk in pks] == ["captions-wait", "captions-wait", "no-captions"])

    rows = [machine.video(pk) for pk in pks]
    assert all(row["audio"] for row in rows)
    assert ["HTTP 429" in row["error_message"] for row in rows] == [True, False, False]
    assert ["token" in row["error_message"] for row in rows] == [False, True, False]
    assert "no English captions" in rows[2]["error_message"]

    busy.captions_status = 200
    token.captions_token = False
    pass_the_time(machine)
    wait_for(lambda: [state(machine, pk) for pk in pks] == ["ready", "ready", "no-captions"])
    assert [machine.video(pk)["captions_kind"] for pk in pks] == ["automatic", "manual", ""]
    assert [tube.paths(video).count("/videoplayback") for video in (busy, token, without)] == [1, 1, 1]


def test_a_site_that_takes_this_machine_for_a_bot_rests_for_all_its_videos(machine: Machine, tube: Tube) -> None:
    suspected = tube.add(Video("suspected01", verdict="bot", tracks=(automatic_track(),)))
    others = [tube.add(Video(f"behind_{number:04d}", tracks=(automatic_track(),))) for number in range(2)]
    machine.start_worker()
    pks = machine.add(suspected.address)
    wait_for(lambda: bool(rest_of_youtube(machine)))
    pks += machine.add(*[video.address for video in others])

    assert timedelta(minutes=55) < rest_of_youtube(machine) <= timedelta(hours=1)
    reason = site_of_youtube(machine)["reason"]
    assert all(part in reason for part in ("not a bot", "cookies", "pause", "upload"))
    machine.manage("process")
    assert [state(machine, pk) for pk in pks] == ["queued"] * 3
    assert [machine.video(pk)["error_permanent"] for pk in pks] == [0, 0, 0]
    assert [tube.clients(video) for video in others] == [[], []]

    suspected.verdict = "ok"
    pass_the_time(machine)
    wait_for(lambda: [state(machine, pk) for pk in pks] == ["ready"] * 3)
    assert site_of_youtube(machine)["rests_until"] is None
    assert taken_in_turns(tube)
    assert tube.refused == []
