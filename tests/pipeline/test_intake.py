"""What is taken, what is refused and why."""

import io
from typing import Any

import pytest
from redis import Redis

from pipeline import intake
from pipeline.choices import VideoState
from pipeline.intake import (
    check_url,
    submit_urls,
)
from pipeline.models import Video
from pipeline.queues import get_queue
from pipeline.stages.errors import StageError
from tests.factories import Factory

pytestmark = pytest.mark.django_db
ID = "i4b-_bNsajY"
URL = f"https://www.youtube.com/watch?v={ID}"
HEADING = "Id,URL,Title,Audio,Captions,Polarity,Pickle\n"


# ---------------------------------------------------------------- addresses


def test_an_address_becomes_a_waiting_video_and_a_job(redis: Redis, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        taken = submit_urls([f"  https://youtu.be/{ID}?t=56 ", "", "\n"], split="train", policy="seed-2019")
    (video,) = taken.created
    video.refresh_from_db()
    assert (video.state, video.split, video.policy) == (VideoState.QUEUED, "train", "seed-2019")
    assert (video.extractor, video.extractor_id, video.url) == ("youtube", ID, URL)
    assert video.submitted_url == f"https://youtu.be/{ID}?t=56"
    assert taken.refused == ()
    assert taken.problem == ""
    assert get_queue("download").job_ids == [f"fetch_video-{video.pk}"]


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_same_video_in_another_form_or_split_is_refused_and_named(split: str, factory: Factory) -> None:
    existing = factory.make_video(extractor_id=ID, url=URL, title="The first", split="test")
    taken = submit_urls([f"https://m.youtube.com/watch?v={ID}&t=3"], split=split)
    assert taken.created == ()
    assert taken.refused[0].text == f"https://m.youtube.com/watch?v={ID}&t=3"
    assert taken.refused[0].reason == f"This video is already in the test split as “The first” (#{existing.pk})."


def test_the_same_video_twice_in_one_go_is_taken_once() -> None:
    taken = submit_urls([URL, f"https://youtu.be/{ID}"], split="train")
    assert (len(taken.created), len(taken.refused)) == (1, 1)


def test_one_bad_line_does_not_stop_the_others() -> None:
    taken = submit_urls(["nonsense", URL, "https://evil.example/talk"], split="train")
    assert len(taken.created) == 1
    assert [refusal.text for refusal in taken.refused] == ["nonsense", "https://evil.example/talk"]


def test_of_two_at_the_same_moment_one_is_refused(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    existing = factory.make_video(extractor_id=ID, url=URL)
    real, looks = intake._find, iter([None])
    monkeypatch.setattr(intake, "_find", lambda identity: next(looks, real(identity)))
    taken = submit_urls([URL], split="train")
    assert taken.created == ()
    assert f"#{existing.pk}" in taken.refused[0].reason


def test_without_a_queue_server_the_videos_are_stored_and_it_is_told(unreachable: None) -> None:
    taken = submit_urls([URL, "https://vimeo.com/76979871"], split="train")
    assert "make run" in taken.problem
    assert Video.objects.filter(state=VideoState.QUEUED).count() == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/watch?v=i4b-_bNsajY",
        "https://youtube.com.evil.example/",
        "https://notyoutube.com/watch",
        "http://127.0.0.1:8000/",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data",
        "https://youtube.com:8080/watch?v=i4b-_bNsajY",
        "http://[::1]/",
    ],
)
def test_other_hosts_are_refused(url: str) -> None:
    with pytest.raises(StageError, match="not among the sites"):
        check_url(url)


def test_the_demonstration_site_is_allowed_at_exactly_its_origin(settings: Any) -> None:
    settings.DEMO_SITE_ORIGIN = "http://127.0.0.1:8799"
    assert check_url("http://127.0.0.1:8799/talk.html").extractor == "generic"
    for url in (
        "http://127.0.0.1:8798/a",
        "https://127.0.0.1:8799/a",
        "http://localhost:8799/a",
        "http://127.0.0.1/a",
        "http://127.0.0.2:8799/a",
    ):
        with pytest.raises(StageError, match="not among the sites"):
            check_url(url)


def test_a_private_origin_is_allowed_where_it_is_named(settings: Any) -> None:
    with pytest.raises(StageError, match="not among the sites"):
        check_url("http://10.1.2.3:8080/talk.html")
    settings.DOWNLOAD_PRIVATE_ORIGINS = ["http://10.1.2.3:8080"]
    assert check_url("http://10.1.2.3:8080/talk.html").extractor == "generic"
    with pytest.raises(StageError, match="not among the sites"):
        check_url("http://10.1.2.3:8081/talk.html")


@pytest.mark.parametrize(
    "url", ["https://www.YouTube.com./watch?v=i4b-_bNsajY", "http://m.youtube.com:80/watch?v=i4b-_bNsajY"]
)
def test_subdomains_and_odd_spellings_of_allowed_hosts_are_allowed(url: str) -> None:
    assert check_url(url).extractor_id == ID


# ---------------------------------------------------------------- dataset.csv


def read(text: str, **options: Any) -> intake.Intake:
    return intake.import_dataset(io.StringIO(text), **{"split": "train", **options})


def test_rows_become_videos_that_keep_their_row() -> None:
    taken = read(HEADING + f'7,{URL}&t=56s,"One, ""two""",audio/7.wav,subtitles/7.srt,p/7.csv,l/7.p\n')
    (video,) = taken.created
    assert (video.dataset_id, video.title, video.extractor_id) == ("7", 'One, "two"', ID)
    assert video.dataset_row is not None
    assert video.dataset_row["URL"] == f"{URL}&t=56s"
    assert video.state == VideoState.QUEUED


def test_rows_can_be_stored_without_fetching(unreachable: None) -> None:
    taken = read(HEADING + f"7,{URL},T,a,s,p,l\n", fetch=False)
    assert taken.problem == ""
    assert taken.created[0].state == VideoState.STORED


def test_bad_rows_are_refused_with_their_line_and_the_rest_is_taken(factory: Factory) -> None:
    factory.make_video(dataset_id="5")
    taken = read(
        HEADING
        + "1,,No address,a,s,p,l\n"
        + "2,https://evil.example/,T,a,s,p,l\n"
        + f"../3,{URL},T,a,s,p,l\n"
        + "5,https://vimeo.com/1,T,a,s,p,l\n"
        + "\n"
        + f"6,{URL},T,a,s,p,l\n"
    )
    assert [video.dataset_id for video in taken.created] == ["6"]
    assert [refusal.text.partition(":")[0] for refusal in taken.refused] == ["line 2", "line 3", "line 4", "line 5"]
    reasons = [refusal.reason for refusal in taken.refused]
    assert reasons[0] == "The URL is empty."
    assert "not among the sites" in reasons[1]
    assert "may hold letters" in reasons[2]
    assert reasons[3].startswith("The Id 5 is taken in this split")


def test_importing_a_second_time_takes_nothing_new() -> None:
    text = HEADING + f"7,{URL},T,a,s,p,l\n"
    read(text)
    for split in ("train", "test"):
        taken = read(text, split=split)
        assert taken.created == ()
        assert "already in the train split" in taken.refused[0].reason


def test_a_file_that_is_no_dataset_stores_nothing() -> None:
    with pytest.raises(StageError, match="Line 3 has 2 cells"):
        read(HEADING + f"7,{URL},T,a,s,p,l\n8,x\n")
    assert not Video.objects.exists()
