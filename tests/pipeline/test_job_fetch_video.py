"""The job `fetch_video` as a plain function, on a recording of some seconds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from pipeline import jobs
from pipeline.choices import VideoState
from pipeline.models import Video
from pipeline.stages import speech_gate
from pipeline.stages.download import VideoIdentity
from tests.factories import Factory
from tests.pipeline.conftest import CUES, Downloader, stored_files, vtt

pytestmark = pytest.mark.django_db
ROLLING = (
    "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nwe<00:00:00.500><c> had</c><00:00:01.000><c> a</c>\n\n"
    "00:00:02.000 --> 00:00:04.500\nwe had a\nwonderful<00:00:02.500><c> day</c><00:00:03.000><c> together</c>\n"
)


def test_an_upload_becomes_audio_peaks_and_segments(uploaded: Video, next_jobs: list[Any]) -> None:
    jobs.fetch_video(uploaded.pk)

    video = Video.objects.get(pk=uploaded.pk)
    assert (video.state, video.attempts, video.captions_kind) == (VideoState.SEGMENTED, 0, "uploaded")
    assert video.duration_s == pytest.approx(14.0, abs=0.001)
    assert str(video.audio.name).endswith(".wav")
    assert not video.source
    with video.peaks.open() as file:
        peaks = json.load(file)
    assert peaks["duration_ms"] == 14_000
    assert len(peaks["peaks"]) == 2000
    assert all(-1 <= low <= high <= 1 for low, high in peaks["peaks"])
    kept = [(segment.start_ms, segment.end_ms, segment.text) for segment in video.segments.kept()]
    assert kept == CUES[:3]
    assert all(segment.exclusion for segment in video.segments.all() if not segment.is_kept)
    assert "".join(segment.text for segment in video.segments.all()) == "".join(text for _, _, text in CUES)
    assert next_jobs == [("label_video", video.pk)]


@pytest.mark.parametrize(("policy", "heard"), [("recommended", False), ("seed-2019", True)])
def test_recommended_rejects_what_hardly_sounds_like_speech(
    policy: str, heard: bool, uploaded: Video, next_jobs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def shares(path: Path, spans: list[tuple[int, int]], **options: Any) -> np.ndarray:
        assert path.suffix == ".wav"
        asked.extend(spans)
        return np.array([0.0, 0.2, 0.19])

    monkeypatch.setattr(speech_gate, "speech_shares", shares)
    Video.objects.update(policy=policy)
    jobs.fetch_video(uploaded.pk)
    exclusions = [segment.exclusion for segment in uploaded.segments.order_by("position")][:3]
    assert exclusions == (["", "", ""] if heard else ["hardly any speech", "", "hardly any speech"])
    assert asked == ([] if heard else [(start, end) for start, end, _ in CUES[:3]])


def test_the_uploaded_source_goes_when_the_decoded_audio_is_there(
    uploaded: Video, next_jobs: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    source = str(uploaded.source.name)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.fetch_video(uploaded.pk)
    assert not default_storage.exists(source)
    assert len(stored_files()) == 3


def test_an_upload_without_captions_waits_for_them_with_its_audio(uploaded: Video, next_jobs: list[Any]) -> None:
    Video.objects.update(captions="", captions_kind="")
    jobs.fetch_video(uploaded.pk)
    video = Video.objects.get(pk=uploaded.pk)
    assert video.state == VideoState.NO_CAPTIONS
    assert video.audio
    assert video.peaks
    assert "upload a caption file" in video.error_message
    assert next_jobs == []


def test_captions_attached_later_are_cut_without_another_download(
    online: Video, site: Downloader, next_jobs: list[Any]
) -> None:
    site(captions=None)
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert video.state == VideoState.NO_CAPTIONS
    video.captions.save("talk.vtt", ContentFile(vtt().encode()))
    video.enter(VideoState.QUEUED)
    site(error=AssertionError("nothing is downloaded"))

    jobs.fetch_video(online.pk)

    after = Video.objects.get(pk=online.pk)
    assert (after.state, after.captions_kind, after.audio.name) == (VideoState.SEGMENTED, "uploaded", video.audio.name)
    assert after.segments.kept().count() == 3


@pytest.mark.parametrize(
    ("captions", "kind", "expected"),
    [
        (vtt(), "manual", "manual"),
        (vtt(), "automatic", "automatic"),
        (ROLLING, "manual", "automatic"),
        (ROLLING, "automatic", "automatic"),
    ],
)
def test_a_download_is_stored_with_the_kind_of_its_captions(
    captions: str, kind: str, expected: str, online: Video, site: Downloader, next_jobs: list[Any]
) -> None:
    site(captions=captions, kind=kind)
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.title, video.captions_kind) == (VideoState.SEGMENTED, "A talk", expected)
    with video.captions.open() as file:
        assert file.read().decode() == captions


def test_captions_that_cannot_be_read_are_told_and_can_be_replaced(online: Video, site: Downloader) -> None:
    site(captions="<html>Not found</html>")
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert video.state == VideoState.NO_CAPTIONS
    assert "cannot be read" in video.error_message
    assert video.audio
    assert not video.captions


def test_the_same_again_ends_in_the_same_state(uploaded: Video, next_jobs: list[Any]) -> None:
    jobs.fetch_video(uploaded.pk)
    before = list(Video.objects.get().segments.values_list())
    jobs.fetch_video(uploaded.pk)
    assert next_jobs == [("label_video", uploaded.pk)]

    Video.objects.update(state=VideoState.QUEUED)
    jobs.fetch_video(uploaded.pk)
    assert list(Video.objects.get().segments.values_list()) == before
    assert Video.objects.get().state == VideoState.SEGMENTED


def test_segments_that_people_vote_on_are_not_replaced(uploaded: Video, next_jobs: list[Any], factory: Factory) -> None:
    jobs.fetch_video(uploaded.pk)
    factory.make_task(segment=uploaded.segments.first())
    Video.objects.update(state=VideoState.QUEUED, policy="seed-2019")
    jobs.fetch_video(uploaded.pk)
    video = Video.objects.get()
    assert video.state == VideoState.FAILED
    assert "voting" in video.error_message
    assert video.segments.filter(policy="recommended").count() == video.segments.count() > 0


def test_an_address_that_leads_to_a_video_already_there_fails_and_names_it(
    online: Video, site: Downloader, factory: Factory
) -> None:
    other = factory.make_video(split="test", title="The first one")
    site(captions=vtt(), identity=VideoIdentity("youtube", other.extractor_id, other.url))
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.state, video.error_permanent) == (VideoState.FAILED, True)
    assert f"“The first one” (#{other.pk})" in video.error_message
    assert "test split" in video.error_message
    assert stored_files() == set()


def test_an_address_that_leads_to_a_new_video_takes_its_identity(
    online: Video, site: Downloader, next_jobs: list[Any]
) -> None:
    site(captions=vtt(), identity=VideoIdentity("vimeo", "76979871", "https://vimeo.com/76979871"))
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert (video.extractor, video.extractor_id, video.url) == ("vimeo", "76979871", "https://vimeo.com/76979871")


def test_an_address_that_leads_to_a_foreign_site_fails(online: Video, site: Downloader) -> None:
    site(captions=vtt(), identity=VideoIdentity("generic", "https://evil.example/", "https://evil.example/"))
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert video.state == VideoState.FAILED
    assert "evil.example is not among the sites" in video.error_message


def test_a_video_of_a_site_no_longer_allowed_is_not_fetched(online: Video, site: Downloader, settings: Any) -> None:
    settings.DOWNLOAD_ALLOWED_HOSTS = ["vimeo.com"]
    site(error=AssertionError("nothing is opened"))
    jobs.fetch_video(online.pk)
    assert "not among the sites" in Video.objects.get(pk=online.pk).error_message


def test_who_speaks_is_stored_apart_from_the_words(online: Video, site: Downloader, next_jobs: list[Any]) -> None:
    site(
        captions="WEBVTT\n\n00:00:00.000 --> 00:00:03.000\nJOY: Where were you on that day?\n\n"
        "00:00:03.000 --> 00:00:06.000\nSAM: I was at work until nine.\n"
    )
    jobs.fetch_video(online.pk)
    stored = online.segments.order_by("position").values_list("speaker", "text")
    assert list(stored) == [("JOY", "Where were you on that day?"), ("SAM", "I was at work until nine.")]


def test_captions_that_give_nothing_say_so_on_the_video(online: Video, site: Downloader, next_jobs: list[Any]) -> None:
    site(captions="WEBVTT\n\n00:00:00.000 --> 00:00:03.000\n[Music]\n")
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert video.captions_notes[0].startswith("None of 1 utterances can be used; the reason of 1: only tags.")


def test_captions_without_any_utterance_are_as_good_as_none(
    online: Video, site: Downloader, next_jobs: list[Any]
) -> None:
    words = "".join(f"<00:00:00.{n:03}><c> wonderful</c>" for n in range(500))
    site(captions=f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nso{words}\n")
    jobs.fetch_video(online.pk)
    video = Video.objects.get(pk=online.pk)
    assert video.state == VideoState.NO_CAPTIONS
    assert "No utterance can be made of these captions" in video.error_message
    assert "4000 characters" in video.error_message
    assert "Upload a caption file to go on." in video.error_message
