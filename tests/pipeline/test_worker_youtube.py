"""YouTube to a ready video for real: queue server, workers, yt-dlp with its runtime, the YouTube on loopback."""

from collections.abc import Iterator

import pytest

from crossmodal import embedded
from tests import fake_youtube
from tests.pipeline.machine import Machine, wait_for
from tests.youtube.site import Tube
from tests.youtube.videos import SPOKEN, Video, automatic_track

# Ten times what it takes on an idle machine.
pytestmark = pytest.mark.timeout(300)


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


def test_a_video_becomes_ready(machine: Machine, tube: Tube) -> None:
    video = tube.add(Video("garden_0001", tracks=(automatic_track(),)))
    (pk,) = machine.add(video.address)
    machine.start_worker()
    wait_for(lambda: machine.video(pk)["state"] == "ready")

    row = machine.video(pk)
    assert (row["title"], row["captions_kind"], row["error_message"]) == ("A day in the garden", "automatic", "")
    assert row["duration_s"] == pytest.approx(11.6, abs=0.1)
    segments = machine.rows("SELECT text, exclusion FROM pipeline_segment WHERE video_id = ? ORDER BY position", pk)
    assert segments == [{"text": text, "exclusion": ""} for _, text in SPOKEN]
    assert tube.paths().count("/videoplayback") == 1
    assert tube.refused == []
