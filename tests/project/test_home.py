from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Skip
from crossmodal.models import Demonstration, SignInBudget
from crossmodal.overview import campaigns_for, next_steps, overview
from pipeline.choices import VideoState
from pipeline.labels import NEGATIVE, POSITIVE


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch):
    """No test here reaches for a queue server."""
    monkeypatch.setattr("crossmodal.demo.turns._enqueue", lambda turn, delay: None)


@pytest.fixture(autouse=True)
def _nothing_missing(monkeypatch):
    """The age of yt-dlp, which grows from day to day, has tests of its own."""
    monkeypatch.setattr("crossmodal.overview.download_hint", lambda: "")
    monkeypatch.setattr("crossmodal.views.home.download_hint", lambda: "")


def text_of(response):
    return " ".join(response.content.decode().split())


def steps_of():
    return [step.text for step in next_steps(overview())]


def test_it_asks_an_anonymous_visitor_to_sign_in(client, db):
    assert client.get(reverse("home")).url.startswith(reverse("login"))


def test_it_rejects_post(admin_client):
    assert admin_client.post(reverse("home")).status_code == 405


def test_an_empty_installation_offers_the_demonstration_beside_own_videos(admin_client):
    page = text_of(admin_client.get(reverse("home")))
    assert f'action="{reverse("start_demo")}"' in page
    assert reverse("list_videos") + "?add=urls#add" in page
    assert "Overview" not in page


def test_the_overview_counts_what_is_stored(admin_client, factory):
    ready = factory.make_video(duration_s=1800)
    factory.make_video(split="test", state=VideoState.FAILED, duration_s=None)
    factory.make_segment(ready, label=POSITIVE)
    factory.make_segment(ready, label=NEGATIVE)
    factory.make_segment(ready, label=None, exclusion="too short")
    state = overview()
    assert state.split_names == ["Train", "Test"]
    assert state.video_rows == [("Ready", [1, 0]), ("Failed", [0, 1])]
    assert (state.segments, state.kept, state.duration_s) == (3, 2, 1800)
    assert {label: n for label, n, _ in state.labels} == {"positive": 1, "neutral": 0, "negative": 1}
    page = text_of(admin_client.get(reverse("home")))
    assert "2 videos, 30 min of audio, 2 segments kept of 3." in page
    assert reverse("start_demo") not in page


def test_the_overview_shows_the_latest_run_and_leads_to_the_evaluation(admin_client, factory):
    scores = {"out_of_fold": {"averages": {"macro": {"f1": 0.5126}}, "baseline": {"label": "neutral", "macro_f1": 0.2}}}
    factory.make_segment()
    run = factory.make_run(scores=scores, finished_at=timezone.now())
    page = text_of(admin_client.get(reverse("home")))
    assert "0.513" in page
    assert "always “neutral” would give 0.200" in page
    assert reverse("show_run", args=[run.pk]) in page
    assert reverse("show_evaluation") in page


def test_the_home_page_takes_a_fixed_number_of_queries(admin_client, factory, django_assert_max_num_queries):
    for _ in range(8):
        factory.make_task(segment=factory.make_segment())
    factory.make_run()
    with django_assert_max_num_queries(11):
        admin_client.get(reverse("home"))


def test_next_steps_follow_the_work(factory):
    assert steps_of() == [
        "There are no training videos yet.",
        "There are no test videos yet; a model is judged on them.",
    ]
    train, test = factory.make_segment(), factory.make_segment(factory.make_video(split="test"))
    assert steps_of() == ["No audio model is trained yet.", "Nobody listens to the segments yet."]
    run = factory.make_run()
    assert steps_of()[0] == "The latest model has not predicted the test videos yet."
    factory.make_prediction(run, test)
    task = factory.make_task(segment=train)
    assert steps_of() == ["There are segments to hear but no annotators."]
    factory.make_user("ann")
    assert steps_of() == ["1 segment still to be heard by three people."]
    task.state = "no-majority"
    task.save()
    assert steps_of() == ["1 segment got three different votes."]


def test_next_steps_begin_with_what_went_wrong(factory):
    factory.make_video(state=VideoState.FAILED)
    factory.make_video(state=VideoState.NO_CAPTIONS)
    assert steps_of()[:2] == [
        "1 video could not be processed.",
        "1 video came without English captions.",
    ]


def test_an_annotator_sees_what_is_left_and_nothing_else(annotator_client, annotator, factory):
    campaign = factory.make_campaign(name="Summer")
    done, skipped, left = (factory.make_task(campaign) for _ in range(3))
    factory.make_vote(done, annotator=annotator)
    Skip.objects.create(task=skipped, annotator=annotator)
    factory.make_vote(left)
    factory.make_vote(left)
    response = annotator_client.get(reverse("home"))
    page = text_of(response)
    assert [(c.name, c.n_mine, c.n_left) for c in response.context["campaigns"]] == [("Summer", 1, 1)]
    assert reverse("annotate_campaign", args=[campaign.pk]) in page
    assert "overview" not in response.context
    assert "positive" not in page.replace("positive, neutral or negative", "")


def test_an_annotator_is_not_sent_to_closed_campaigns_or_rows_without_audio(annotator, factory):
    factory.make_task(factory.make_campaign(is_open=False))
    factory.make_task(imported_key="1", imported_text="Hello")
    settled = factory.make_task()
    settled.state, settled.truth = "majority", "neutral"
    settled.save()
    assert list(campaigns_for(annotator)) == []


def test_an_annotator_with_nothing_to_hear_is_told_so(annotator_client):
    assert "There is nothing to hear at the moment" in text_of(annotator_client.get(reverse("home")))


def test_an_account_without_a_role_is_told_whom_to_ask(client, factory):
    client.force_login(factory.make_user("new", role=""))
    assert "Your account has no role yet" in text_of(client.get(reverse("home")))


def test_a_running_demonstration_is_shown_and_watched(admin_client):
    Demonstration.objects.create(turned_at=timezone.now() - timedelta(minutes=1))
    page = text_of(admin_client.get(reverse("home")))
    assert f'hx-get="{reverse("demo_progress")}"' in page
    assert reverse("start_demo") not in page


def test_a_finished_demonstration_is_called_simulated(admin_client, factory):
    factory.make_segment()
    Demonstration.objects.create(finished_at=timezone.now())
    page = text_of(admin_client.get(reverse("home")))
    assert "its voices are synthetic and its votes simulated" in page
    assert "hx-get" not in page


@pytest.mark.parametrize("model", ["signinbudget", "knownaddress", "demonstration"])
def test_the_admin_site_shows_the_installations_own_rows_without_changing_them(admin_client, model):
    Demonstration.objects.create()
    SignInBudget.objects.create(slot=1, whole_at_ms=1)
    assert admin_client.get(f"/admin/crossmodal/{model}/").status_code == 200
    assert admin_client.get(f"/admin/crossmodal/{model}/add/").status_code == 403
