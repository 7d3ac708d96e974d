"""Refusals and captions kept back, for real: RQ workers, yt-dlp, two sites on loopback, a database in a file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossmodal import embedded
from tests.loopback import Site, serving
from tests.pipeline.conftest import vtt, write_wav
from tests.pipeline.machine import Machine, wait_for

# Ten times what it takes on an idle machine.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    folder = tmp_path_factory.mktemp("sites")
    write_wav(folder / "talk.wav")
    (folder / "talk.vtt").write_text(vtt())
    with serving(folder) as first, serving(folder) as second:
        yield first, second


@pytest.fixture(scope="module")
def machine(sites: tuple[Site, Site], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    var_dir: Path = tmp_path_factory.mktemp("machine") / "var"
    with embedded.running(var_dir) as redis_url:
        port = sites[0].origin.rpartition(":")[2]
        settings = {"DEMO_SITE_PORT": port, "DOWNLOAD_PRIVATE_ORIGINS": sites[1].origin}
        machine = Machine(var_dir, redis_url, settings)
        try:
            machine.manage("migrate", "--verbosity", "0")
            yield machine
        finally:
            machine.stop()


def add(machine: Machine, *urls: str) -> list[int]:
    options = ("--split", "train", "--policy", "seed-2019", "--format", "json")
    return [video["id"] for video in json.loads(machine.manage("add_video", *urls, *options))["created"]]


def states(machine: Machine, pks: list[int]) -> set[str]:
    return {machine.video(pk)["state"] for pk in pks}


def test_a_site_that_answers_429_rests_and_the_other_goes_on(machine: Machine, sites: tuple[Site, Site]) -> None:
    busy, other = sites
    pages = [f"/refused-{number}.html" for number in range(3)]
    refused = [busy.add_page(page, "talk.wav", ("en", "talk.vtt")) for page in pages]
    for page in pages:
        busy.fail(page, 429)
    waiting = add(machine, *refused)
    served = add(machine, *(other.add_page(f"/{n}.html", "talk.wav", ("en", "talk.vtt")) for n in range(2)))

    machine.start_worker()
    wait_for(lambda: states(machine, served) == {"ready"}, 60)
    wait_for(lambda: bool(machine.rows("SELECT * FROM pipeline_downloadsite WHERE rests_until IS NOT NULL")))

    assert states(machine, waiting) == {"queued"}
    assert {machine.video(pk)["attempts"] for pk in waiting} == {0}
    (site,) = machine.rows("SELECT * FROM pipeline_downloadsite")
    assert (site["name"], site["refusals"]) == (busy.origin.removeprefix("http://"), 1)
    asked = {request.split()[1] for request in busy.requests} & set(pages)
    assert len(asked) == 1, "a site that refused was asked again"
    (told,) = json.loads(machine.manage("process", "--format", "json"))["resting"]
    assert (told["site"], told["waiting"]) == (site["name"], 3)
    assert "pause" in told["reason"]

    busy.failures.clear()
    machine.change("UPDATE pipeline_downloadsite SET rests_until = '2020-01-01 00:00:00'")
    machine.manage("process")
    wait_for(lambda: states(machine, waiting) == {"ready"})
    (site,) = machine.rows("SELECT * FROM pipeline_downloadsite")
    assert (site["refusals"], site["rests_until"], site["holder"]) == (0, None, None)


def test_captions_kept_back_come_later_and_the_recording_is_fetched_once(
    machine: Machine, sites: tuple[Site, Site]
) -> None:
    site = sites[1]
    url = site.add_page("/captions.html", "later.wav", ("en", "later.vtt"))
    (site.folder / "later.wav").write_bytes((site.folder / "talk.wav").read_bytes())
    (site.folder / "later.vtt").write_text(vtt())
    site.fail("/later.vtt", 429)
    (pk,) = add(machine, url)
    machine.start_worker()
    wait_for(lambda: machine.video(pk)["state"] == "captions-wait")
    before = machine.video(pk)
    assert before["audio"]
    assert "HTTP 429" in before["error_message"]
    assert json.loads(machine.manage("process", "--format", "json"))["queued"] == 0

    site.failures.clear()
    machine.change("UPDATE pipeline_video SET waits_until = '2020-01-01 00:00:00'")
    assert json.loads(machine.manage("process", "--format", "json"))["queued"] == 1
    wait_for(lambda: machine.video(pk)["state"] == "ready")

    after = machine.video(pk)
    assert (after["audio"], after["captions_kind"], after["error_message"]) == (before["audio"], "manual", "")
    assert site.requests.count("GET /later.wav") == 1
    assert site.requests.count("GET /captions.html") == 2
