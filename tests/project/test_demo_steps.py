from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from annotation.models import Campaign, Task, Vote
from crossmodal.demo import corpus, steps, turns
from crossmodal.demo.listeners import LISTENERS, SLIP_PROBABILITY, heard_label, listeners
from crossmodal.demo.progress import CAMPAIGNS, demo_videos, progress
from crossmodal.demo.scripts import all_scripts
from crossmodal.demo.site import page_url
from crossmodal.models import Demonstration
from pipeline.choices import RunState, VideoState
from pipeline.labels import LABELS
from pipeline.models import Prediction, TrainingRun, Video
from pipeline.queues import QueueUnavailable

TRANSACTIONAL = pytest.mark.django_db(transaction=True)


def run_to_its_end(workbench, rounds=12):
    for _ in range(rounds):
        workbench.run_turns()
        workbench.run_pipeline()
        state = progress()
        if state.finished or state.error:
            return state
    raise AssertionError(f"not finished after {rounds} rounds: {state}")


@TRANSACTIONAL
def test_the_whole_demonstration_goes_from_speech_to_simulated_votes(workbench, small_corpus, demo_site):
    steps.start()
    assert [step.finished for step in progress().steps] == [False] * 5
    state = run_to_its_end(workbench)
    assert state.error == ""
    assert state.percent == 100
    assert Counter(demo_videos().values_list("split", "state")) == {
        ("train", VideoState.READY): 6,
        ("test", VideoState.READY): 2,
    }
    assert set(demo_videos().values_list("captions_kind", flat=True)) == {"manual", "automatic"}
    run = TrainingRun.objects.get(pk=state.run_pk)
    assert run.state == RunState.DONE
    assert Prediction.objects.filter(run=run, segment__video__split="test").exists()
    for split, name in CAMPAIGNS.items():
        campaign = Campaign.objects.get(pk=state.campaign_pks[split])
        assert not campaign.is_open
        assert campaign.name == name
        assert set(campaign.tasks.values_list("segment__video__split", flat=True)) == {split}
        assert campaign.tasks.awaiting_votes().count() == 0
    assert set(Vote.objects.values_list("origin", flat=True)) == {"simulated"}
    assert Vote.objects.count() == 3 * Task.objects.count()
    assert {truth for truth in Task.objects.values_list("truth", flat=True) if truth} == set(LABELS)
    assert set(Vote.objects.values_list("annotator__username", flat=True)) == set(LISTENERS)
    before = Vote.objects.count(), Video.objects.count()
    steps.start()
    run_to_its_end(workbench)
    assert (Vote.objects.count(), Video.objects.count()) == before


@TRANSACTIONAL
def test_a_site_that_does_not_answer_is_a_sentence_and_can_be_tried_again(
    workbench, small_corpus, demo_folder, settings, monkeypatch
):
    settings.DEMO_SITE_ORIGIN = "http://127.0.0.1:1"
    monkeypatch.setattr(steps, "record", lambda callback: _pretend_recorded(demo_folder))
    steps.start()
    workbench.run_turns()
    assert "The demonstration’s site does not answer at http://127.0.0.1:1." in progress().error
    assert workbench.turns == []
    steps.start()
    assert progress().error == ""
    assert len(workbench.turns) == 1


def _pretend_recorded(folder):
    for script in all_scripts():
        (folder / corpus.timeline_name(script)).touch()


@pytest.fixture
def submitted(workbench, small_corpus, demo_folder, factory):
    """All interviews stored as ready videos, as if fetched."""
    Demonstration.objects.create()
    for script in all_scripts():
        url = page_url(script)
        factory.make_video(split=script.split, submitted_url=url, title=script.title)


def test_an_interview_that_cannot_be_prepared_stops_it_with_the_reason_and_is_retried(submitted, workbench):
    video = demo_videos()[0]
    video.enter(VideoState.FAILED, error_message="The server answered 500.")
    state = steps.advance()
    assert state.error == f"The interview “{video.title}” could not be prepared: The server answered 500."
    steps.start()
    video.refresh_from_db()
    assert video.state == VideoState.QUEUED
    assert progress().error == ""


def test_a_failed_training_stops_it_with_the_reason_and_a_new_one_is_started(submitted, workbench):
    run = TrainingRun.objects.create(extractor="x", state=RunState.FAILED, error_message="Too few videos.")
    Demonstration.objects.update(run=run)
    assert steps.advance().error == "Training failed: Too few videos."
    steps.start()
    state = steps.advance()
    assert state.error == ""
    assert state.run_pk not in (None, run.pk)


def test_an_unexpected_error_is_logged_by_the_worker_and_shown_in_words(submitted, monkeypatch):
    def fail(*args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(steps, "train", fail)
    with pytest.raises(RuntimeError):
        steps.advance()
    assert progress().error == steps.UNEXPECTED
    assert Demonstration.objects.get().held_until <= timezone.now()


def test_a_step_is_taken_by_one_process_at_a_time(submitted, monkeypatch):
    Demonstration.objects.update(held_until=timezone.now() + timedelta(minutes=1))
    monkeypatch.setattr(steps, "train", lambda: pytest.fail("taken twice"))
    assert steps.advance().run_pk is None


def test_an_overtaken_job_stands_back(db, workbench):
    Demonstration.objects.create(turn=7)
    assert not turns.take(6)
    turns.pass_on(6)
    assert workbench.turns == []
    turns.pass_on(7)
    assert workbench.turns == [8]
    assert Demonstration.objects.get().turn == 8


def test_nobody_nudges_while_a_process_works_or_nothing_is_left_to_do(db, workbench):
    row = Demonstration.objects.create(held_until=timezone.now() + timedelta(minutes=1))
    turns.nudge()
    Demonstration.objects.filter(pk=row.pk).update(held_until=timezone.now(), finished_at=timezone.now())
    turns.nudge()
    assert workbench.turns == []


def test_watching_hurries_what_can_be_done_and_leaves_alone_what_waits(submitted, workbench):
    Demonstration.objects.update(turned_at=timezone.now() - timedelta(seconds=5))
    assert steps.hurry(progress()) == ""
    assert workbench.turns == [1]
    steps.hurry(progress())
    assert workbench.turns == [1]
    Demonstration.objects.update(turned_at=timezone.now() - timedelta(seconds=5))
    demo_videos().filter(pk=demo_videos()[0].pk).update(state=VideoState.EXTRACTING)
    steps.hurry(progress())
    assert workbench.turns == [1]
    Demonstration.objects.update(turned_at=timezone.now() - timedelta(minutes=1))
    steps.hurry(progress())
    assert workbench.turns == [1, 2]


def test_a_missing_queue_server_is_told_to_who_watches(submitted, monkeypatch):
    def refuse(*args):
        raise QueueUnavailable

    monkeypatch.setattr(turns, "_enqueue", refuse)
    Demonstration.objects.update(turned_at=timezone.now() - timedelta(minutes=1))
    assert steps.hurry(progress()) == QueueUnavailable().message


def test_after_a_restart_a_step_held_by_a_dead_process_is_taken_up_again(db, workbench):
    Demonstration.objects.create(held_until=timezone.now() + timedelta(minutes=4))
    turns.resume()
    assert workbench.turns == [1]


def test_progress_takes_a_fixed_number_of_queries(submitted, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        state = progress()
    assert [step.finished for step in state.steps] == [True, True, False, False, False]


def test_progress_takes_one_query_where_nothing_was_started(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert not progress().started


def test_listeners_slip_now_and_then_and_always_at_the_same_places():
    places = [f"place/{n}" for n in range(3000)]
    for listener in LISTENERS:
        heard = [heard_label(listener, place, "positive") for place in places]
        assert heard == [heard_label(listener, place, "positive") for place in places]
        slips = Counter(heard)
        assert 1 - slips["positive"] / len(places) == pytest.approx(SLIP_PROBABILITY, abs=0.02)
        assert slips["neutral"] > slips["negative"] > 0
    assert Counter(heard_label(LISTENERS[0], place, "neutral") for place in places).keys() == set(LABELS)


def test_the_listeners_are_made_once_and_nobody_can_sign_in_with_them(db):
    for _ in range(2):
        listeners()
    users = User.objects.filter(username__in=LISTENERS)
    assert users.count() == 3
    assert not any(user.is_active or user.has_usable_password() for user in users)
