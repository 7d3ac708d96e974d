"""What a recording lost or what was changed in it: stored by the job, shown on pages, told by commands."""

from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from pipeline import jobs
from pipeline.choices import VideoState
from pipeline.models import Video
from tests.factories import Factory
from tests.pipeline.conftest import CUES, Downloader, vtt
from tests.pipeline.page_fixtures import give_audio
from tests.stages.sounds import sine

NOTE = "The channels are in opposite phase for 0:14"


@pytest.fixture
def inverted(tmp_path: Path) -> Path:
    tone = sine(440, 14.0)
    sf.write(tmp_path / "inverted.wav", np.stack([tone, -tone], axis=1), 16_000)
    return tmp_path / "inverted.wav"


@pytest.mark.django_db
def test_an_upload_keeps_its_notes(uploaded: Video, inverted: Path, next_jobs: list[Any]) -> None:
    uploaded.source.save("talk.wav", ContentFile(inverted.read_bytes()))
    jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert video.state == VideoState.SEGMENTED
    assert len(video.sound_notes) == 1
    assert video.sound_notes[0].startswith(NOTE)
    assert len(video.segments.kept()) == len(CUES[:3])


@pytest.mark.django_db
def test_an_upload_without_captions_keeps_them_too(uploaded: Video, inverted: Path, next_jobs: list[Any]) -> None:
    uploaded.source.save("talk.wav", ContentFile(inverted.read_bytes()))
    Video.objects.update(captions="", captions_kind="")
    jobs.fetch_video(uploaded.pk)
    assert Video.objects.get(pk=uploaded.pk).sound_notes[0].startswith(NOTE)


@pytest.mark.django_db
def test_a_recording_that_is_fetched_anew_has_notes_of_its_own(
    online: Video, site: Downloader, next_jobs: list[Any]
) -> None:
    Video.objects.update(sound_notes=["It was cut off."])
    site(vtt())
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.sound_notes) == (VideoState.SEGMENTED, [])


@pytest.mark.django_db
def test_a_recording_of_no_numbers_fails_in_words(uploaded: Video, tmp_path: Path, next_jobs: list[Any]) -> None:
    samples = sine(440, 3.0)
    samples[7_000] = np.nan
    sf.write(tmp_path / "nan.wav", samples, 16_000, subtype="FLOAT")
    uploaded.source.save("talk.wav", ContentFile((tmp_path / "nan.wav").read_bytes()))
    jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert (video.state, video.error_permanent) == (VideoState.FAILED, True)
    assert "no numbers (NaN)" in video.error_message


def test_the_pages_show_notes(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video(sound_notes=["0:12 of sound are missing between 3:05 and 3:17.", "It was cut off."])
    give_audio(video)
    page = admin_client.get(reverse("show_video", args=[video.pk])).content.decode()
    assert "2 notes on the sound" in page
    assert "<li>0:12 of sound are missing between 3:05 and 3:17.</li>" in page
    listed = admin_client.get(reverse("list_videos")).content.decode()
    assert f'href="{reverse("show_video", args=[video.pk])}#sound-notes"' in listed


def test_a_sound_recording_has_no_notes_on_pages(factory: Factory, admin_client: Client) -> None:
    video = factory.make_video()
    assert "on the sound" not in admin_client.get(reverse("show_video", args=[video.pk])).content.decode()
    assert "sound-notes" not in admin_client.get(reverse("list_videos")).content.decode()


def test_segment_tells_notes_apart(inverted: Path, tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_text(vtt())
    out, err = StringIO(), StringIO()
    call_command("segment", str(tmp_path / "a.vtt"), "--recording", str(inverted), stdout=out, stderr=err)
    assert f"inverted.wav: {NOTE}" in err.getvalue()
    assert "phase" not in out.getvalue()


@pytest.mark.parametrize("copies", [1, 3])
def test_features_tells_notes_of_each_file(inverted: Path, tmp_path: Path, copies: int) -> None:
    paths = [tmp_path / f"{number}.wav" for number in range(copies)]
    for path in paths:
        path.write_bytes(inverted.read_bytes())
    err = StringIO()
    call_command("features", *map(str, paths), "--out", str(tmp_path / "x.npz"), stderr=err)
    assert [line.split(": ")[0] for line in err.getvalue().splitlines() if NOTE in line] == [
        str(path) for path in paths
    ]
    with np.load(tmp_path / "x.npz") as arrays:
        assert np.abs(arrays["X"]).sum() > 1


@pytest.mark.parametrize("command", ["features", "crossvalidate"])
def test_files_of_no_numbers_are_refused_by_name(tmp_path: Path, command: str) -> None:
    samples = sine(440, 2.0)
    samples[5] = np.inf
    sf.write(tmp_path / "bad.wav", samples, 16_000, subtype="FLOAT")
    (tmp_path / "clips.csv").write_text("path,label,group\nbad.wav,positive,a\n")
    arguments = [str(tmp_path / "bad.wav"), "--out", str(tmp_path / "x.npz")]
    with pytest.raises(CommandError, match=r"bad\.wav holds samples that are no numbers"):
        call_command(command, *(arguments if command == "features" else [str(tmp_path / "clips.csv")]))
    assert not (tmp_path / "x.npz").exists()
