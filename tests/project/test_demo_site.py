import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from crossmodal.demo import corpus
from crossmodal.demo.scripts import all_scripts
from crossmodal.demo.site import byte_range
from pipeline.intake import check_url
from pipeline.stages.captions import read_captions
from pipeline.stages.download import DownloadLimits, download
from pipeline.stages.errors import StageError


@pytest.fixture
def recorded(small_corpus, demo_folder):
    script = next(script for script in all_scripts() if script.name == "bicycles")
    corpus.record(script, demo_folder)
    return script


def get(url, method="GET", **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method), timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_a_page_has_the_title_the_recording_and_its_captions(demo_site, recorded):
    status, headers, body = get(f"{demo_site}/bicycles")
    page = body.decode()
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<title>A workshop where nobody buys a bicycle</title>" in page
    assert '<source src="/bicycles.webm" type="audio/webm">' in page
    assert 'src="/bicycles.en.json3"' in page
    assert "Nobody in it is real." in page


def test_the_first_page_lists_all_interviews(demo_site, small_corpus):
    status, _, body = get(f"{demo_site}/")
    assert status == 200
    assert body.decode().count("<li>") == len(all_scripts())


def test_it_starts_before_anything_is_recorded_and_says_so(demo_site, small_corpus):
    assert get(f"{demo_site}/bicycles")[0] == 404
    assert get(f"{demo_site}/bicycles.webm")[0] == 404


def test_a_recording_is_sent_whole_or_in_part(demo_site, recorded, demo_folder):
    url, content = f"{demo_site}/bicycles.webm", (demo_folder / "bicycles.webm").read_bytes()
    status, headers, body = get(url)
    assert (status, body) == (200, content)
    assert headers["Accept-Ranges"] == "bytes"
    status, headers, body = get(url, Range="bytes=100-199")
    assert (status, body) == (206, content[100:200])
    assert headers["Content-Range"] == f"bytes 100-199/{len(content)}"
    assert get(url, Range="bytes=-50")[2] == content[-50:]
    status, headers, _ = get(url, Range=f"bytes={len(content)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(content)}")


def test_head_sends_the_length_and_no_content(demo_site, recorded, demo_folder):
    status, headers, body = get(f"{demo_site}/bicycles.webm", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) == (demo_folder / "bicycles.webm").stat().st_size


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("chunks=1-2", None),
    ],
)
def test_ranges_are_read_as_the_rfc_says(header, expected):
    assert byte_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=20-10", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(header):
    with pytest.raises(ValueError, match="bytes"):
        byte_range(header, 100)


@pytest.mark.parametrize("path", ["../secret_key", "..%2fsecret_key", "bicycles.timeline.json", "demo/bicycles.webm"])
def test_no_other_file_is_served(demo_site, recorded, demo_folder, path):
    (demo_folder.parent / "secret_key").write_text("secret")
    assert get(f"{demo_site}/{path}")[0] == 404


def test_yt_dlp_fetches_recording_captions_and_title_from_the_page(demo_site, recorded, tmp_path):
    folder = tmp_path / "fetched"
    folder.mkdir()
    limits = DownloadLimits(max_duration_s=600, max_bytes=10_000_000)
    found = download(f"{demo_site}/bicycles", folder=folder, limits=limits, private_origins=[demo_site])
    assert found.title == recorded.title
    assert found.audio_path.stat().st_size == (corpus.folder() / "bicycles.webm").stat().st_size
    assert found.captions_path is not None
    assert read_captions(found.captions_path).format == "json3"
    assert read_captions(found.captions_path).kind == "automatic"


def test_only_the_demonstrations_own_origin_is_allowed_on_this_machine(demo_site, settings):
    assert check_url(f"{demo_site}/bicycles").url == f"{demo_site}/bicycles"
    with pytest.raises(StageError):
        check_url(f"http://127.0.0.1:{settings.DEMO_SITE_PORT + 1}/bicycles")


def test_a_taken_port_is_a_sentence(demo_site):
    with pytest.raises(CommandError, match="is taken by another program: stop that, or choose another port"):
        call_command("demo_site")


def test_the_command_serves_until_it_is_told_to_stop(tmp_path):
    environment = {"VAR_DIR": str(tmp_path), "DEMO_SITE_PORT": "0", "PATH": "", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "demo_site"],
        cwd=django_settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        status, _, _ = get(line.split()[-1])
        process.terminate()
        rest, _ = process.communicate(timeout=10)
    assert line.startswith("Demonstration interviews at http://127.0.0.1:")
    assert status == 200
    assert rest == "Stopped.\n"
    assert process.returncode == 0
