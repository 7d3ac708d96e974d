"""The listening room: annotate, annotate_campaign, task_clip, submit_vote, skip_task, undo_vote, renew_lease."""

import io
import re
import uuid

import pytest
import soundfile as sf
from django.test import Client
from django.utils import timezone

from annotation import assignment
from annotation.errors import CampaignClosed
from annotation.models import Campaign, Skip, Slot, Vote
from pipeline.models import Segment, TextLabel
from tests.annotation.conftest import claimed


@pytest.fixture
def campaign(make_audible_campaign):
    return make_audible_campaign(3, name="Round one")


@pytest.fixture
def slot(campaign, annotator):
    return claimed(campaign, annotator)


@pytest.fixture
def other_client(factory):
    client = Client()
    client.force_login(factory.make_user("other"))
    return client


def ballot(**fields):
    return {"label": "positive", "client_id": str(uuid.uuid4()), **fields}


PAGES = ["/annotate/", "/annotate/{campaign}/", "/annotate/{slot}/clip"]
ACTIONS = [
    "/annotate/{slot}/vote/",
    "/annotate/{slot}/skip/",
    "/annotate/{campaign}/undo/",
    "/annotate/{slot}/renew/",
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_reject_post(annotator_client, campaign, slot, path):
    assert annotator_client.post(path.format(campaign=campaign.pk, slot=slot.pk)).status_code == 405


@pytest.mark.parametrize("path", ACTIONS)
def test_actions_reject_get(annotator_client, campaign, slot, path):
    assert annotator_client.get(path.format(campaign=campaign.pk, slot=slot.pk)).status_code == 405


@pytest.mark.parametrize("path", PAGES + ACTIONS)
def test_nobody_gets_in_without_signing_in(client, campaign, slot, path):
    path = path.format(campaign=campaign.pk, slot=slot.pk)
    response = client.get(path) if path.endswith("clip") or path in PAGES[0] else client.post(path)
    if response.status_code == 405:
        response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
    assert not Vote.objects.exists()


@pytest.mark.parametrize("path", PAGES + ACTIONS)
def test_an_admin_who_is_no_annotator_is_refused_with_a_sentence(admin_client, campaign, slot, path):
    path = path.format(campaign=campaign.pk, slot=slot.pk)
    response = admin_client.get(path)
    if response.status_code == 405:
        response = admin_client.post(path, ballot())
    assert response.status_code == 403
    assert "This page is for annotators." in response.content.decode()
    assert not Vote.objects.exists()


# ---------------------------------------------------------------- annotate


def test_with_one_campaign_it_goes_straight_on(annotator_client, campaign):
    assert annotator_client.get("/annotate/")["Location"] == f"/annotate/{campaign.pk}/"


def test_with_several_campaigns_it_lets_one_choose(annotator_client, campaign, make_audible_campaign):
    make_audible_campaign(2, name="Round two")
    page = annotator_client.get("/annotate/").content.decode()
    assert "Round one" in page
    assert "Round two" in page
    assert "voted on 0 of 2 segments" in page


def test_without_a_campaign_it_says_so(annotator_client, factory):
    factory.make_task(imported_key="0/0#1", imported_text="x")  # nothing to hear in there
    assert "Nothing to hear yet" in annotator_client.get("/annotate/").content.decode()


def test_the_choice_takes_the_same_queries_for_any_number(
    annotator_client, make_audible_campaign, django_assert_num_queries
):
    for _ in range(4):
        make_audible_campaign(2)
    with django_assert_num_queries(5):  # session, user, roles, campaigns, own votes
        annotator_client.get("/annotate/")


# ---------------------------------------------------------------- annotate_campaign


def test_it_shows_a_segment_and_how_far_one_is(annotator_client, campaign, annotator):
    page = annotator_client.get(f"/annotate/{campaign.pk}/").content.decode()
    slot = Slot.objects.get()
    assert slot.annotator == annotator
    assert f'data-clip="/annotate/{slot.pk}/clip"' in page
    assert "<b>0</b> done, <b>3</b> left for you" in page


def test_a_reload_keeps_the_segment(annotator_client, campaign):
    for _ in range(3):
        annotator_client.get(f"/annotate/{campaign.pk}/")
    assert Slot.objects.count() == 1


def test_htmx_gets_only_the_part_that_changes(annotator_client, campaign):
    page = annotator_client.get(f"/annotate/{campaign.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith('<section id="room"')
    assert "<html" not in page


def test_the_style_nonce_is_the_policys(annotator_client, campaign):
    response = annotator_client.get(f"/annotate/{campaign.pk}/")
    nonce = re.search(r'data-style-nonce="([^"]+)"', response.content.decode())[1]
    assert f"style-src 'self' 'nonce-{nonce}'" in response["Content-Security-Policy"]


def test_no_page_is_kept_by_a_cache(annotator_client, campaign):
    assert "no-store" in annotator_client.get(f"/annotate/{campaign.pk}/")["Cache-Control"]


def test_a_finished_listener_is_thanked(annotator_client, annotator, make_audible_campaign):
    campaign = make_audible_campaign(1)
    assignment.submit(claimed(campaign, annotator), annotator, "neutral", uuid.uuid4())
    page = annotator_client.get(f"/annotate/{campaign.pk}/").content.decode()
    assert "Thank you" in page
    assert "voted on 1 segment," in page


def test_a_closed_campaign_says_so(annotator_client, make_audible_campaign):
    campaign = make_audible_campaign(1, is_open=False)
    assert "This campaign is closed" in annotator_client.get(f"/annotate/{campaign.pk}/").content.decode()
    assert not Slot.objects.exists()


@pytest.fixture
def closed_slot(campaign, slot):
    """The place that a listener holds in a campaign that was closed meanwhile."""
    Campaign.objects.filter(pk=campaign.pk).update(is_open=False)
    return slot


def test_a_closed_campaign_serves_no_clip(annotator_client, closed_slot):
    for headers in ({}, {"Range": "bytes=0-99"}):
        assert annotator_client.get(f"/annotate/{closed_slot.pk}/clip", headers=headers).status_code == 404


@pytest.mark.parametrize("action", ["vote", "skip"])
def test_a_closed_campaign_takes_neither_votes_nor_skips(annotator_client, closed_slot, action):
    response = annotator_client.post(f"/annotate/{closed_slot.pk}/{action}/", ballot(), follow=True)
    assert "closed, so votes are no longer taken" in response.content.decode()
    assert not Vote.objects.exists()
    assert not Skip.objects.exists()
    assert Slot.objects.filter(pk=closed_slot.pk, filled=False).exists()


def test_a_closed_campaign_prolongs_no_lease(annotator_client, closed_slot):
    response = annotator_client.post(f"/annotate/{closed_slot.pk}/renew/")
    assert (response.status_code, response.content.decode()) == (409, assignment.CLOSED)
    assert Slot.objects.get().lease_ends == closed_slot.lease_ends


def test_a_campaign_that_is_opened_again_goes_on_where_it_was(annotator_client, closed_slot):
    Campaign.objects.update(is_open=True)
    assert annotator_client.get(f"/annotate/{closed_slot.pk}/clip").status_code == 200
    annotator_client.post(f"/annotate/{closed_slot.pk}/skip/")
    assert Skip.objects.count() == 1


def test_a_vote_is_not_taken_back_once_its_campaign_is_closed(annotator, campaign, slot):
    """The campaign as the request read it is still open: it is closed while the request is on its way."""
    assignment.submit(slot, annotator, "neutral", uuid.uuid4())
    Campaign.objects.filter(pk=campaign.pk).update(is_open=False)
    assert campaign.is_open
    with pytest.raises(CampaignClosed):
        assignment.undo(campaign, annotator)
    assert Vote.objects.standing().count() == 1


def test_a_campaign_that_closes_while_the_page_is_made_puts_nothing_before_anybody(annotator, campaign, closed_slot):
    assert campaign.is_open
    assert assignment.claim(campaign, annotator) is None


def test_an_unknown_campaign_is_not_found(annotator_client):
    assert annotator_client.get("/annotate/999/").status_code == 404


def test_the_room_takes_the_same_queries_for_any_number_of_tasks(
    annotator_client, annotator, make_audible_campaign, django_assert_num_queries
):
    campaign = make_audible_campaign(8)
    annotator_client.get(f"/annotate/{campaign.pk}/")
    with django_assert_num_queries(9):  # session, user, roles, campaign, held slot, its lease, done, left, last vote
        annotator_client.get(f"/annotate/{campaign.pk}/")


def test_the_text_is_shown_only_where_the_campaign_says_so(annotator_client, campaign):
    Segment.objects.update(text="the secret words")
    assert "the secret words" not in annotator_client.get(f"/annotate/{campaign.pk}/").content.decode()
    campaign.show_text = True
    campaign.save()
    assert "the secret words" in annotator_client.get(f"/annotate/{campaign.pk}/").content.decode()


# ---------------------------------------------------------------- what must not leak


@pytest.fixture
def secret_campaign(factory, make_audible_video):
    """One task whose segment, video, labels, predictions and others' votes are all easy to recognise."""
    video = make_audible_video(title="TITLE-SECRET", extractor_id="ID-SECRET", url="https://example.org/URL-SECRET")
    segment = factory.make_segment(video, label="negative", text="TEXT-SECRET", pk=987_654_321)
    factory.make_prediction(factory.make_run(), segment, "negative")
    campaign = factory.make_campaign(name="Round")
    task = factory.make_task(campaign, segment, pk=876_543_210)
    factory.make_vote(task, "negative", annotator=factory.make_user("OTHER-SECRET"), pk=765_432_109)
    return campaign


def everything(response):
    """The complete response as it goes over the wire: status, headers, cookies and body."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return b"\n".join(
        [str(response.status_code).encode(), str(response.headers).encode(), str(response.cookies).encode(), body]
    )


def masked(raw):
    """Without what is random in every response: CSRF tokens, the client's id, the nonce, times of cookies."""
    raw = re.sub(rb'(csrfmiddlewaretoken" value=|client_id" value=|data-style-nonce=)"[^"]*"', rb'\1""', raw)
    raw = re.sub(rb'"X-CSRFToken": "[^"]*"', b"", raw)
    raw = re.sub(rb"'nonce-[^']*'", b"", raw)
    return re.sub(
        rb"csrftoken=[^;]*;|expires=[^;]*;|'Expires': '[^']*'|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} [^']*GMT", b"", raw
    )


def walk(client, campaign):
    """Every response that a listener can get on the way through a task, as a list of complete responses."""
    responses = [client.get("/annotate/"), client.get(f"/annotate/{campaign.pk}/")]
    slot = Slot.objects.get(filled=False)
    responses += [
        client.get(f"/annotate/{campaign.pk}/", headers={"HX-Request": "true"}),
        client.get(f"/annotate/{slot.pk}/clip"),
        client.get(f"/annotate/{slot.pk}/clip", headers={"Range": "bytes=0-99"}),
        client.post(f"/annotate/{slot.pk}/renew/"),
        client.post(f"/annotate/{slot.pk}/vote/", {"label": "angry"}),
        client.post(f"/annotate/{slot.pk}/vote/", ballot()),
        client.get(f"/annotate/{campaign.pk}/"),
        client.post(f"/annotate/{campaign.pk}/undo/"),
        client.get(f"/annotate/{campaign.pk}/"),
        client.post(f"/annotate/{slot.pk}/skip/"),
        client.get(f"/annotate/{campaign.pk}/"),
    ]
    return [everything(response) for response in responses]


def test_no_response_names_the_segment_its_video_or_what_others_think(annotator_client, secret_campaign):
    for raw in walk(annotator_client, secret_campaign):
        for secret in (b"SECRET", b"987654321", b"876543210", b"765432109"):
            assert secret not in raw


def test_responses_are_the_same_whatever_the_machine_and_others_think(annotator_client, secret_campaign):
    """Not one byte depends on label, prediction, others' votes, text or title."""
    first = [masked(raw) for raw in walk(annotator_client, secret_campaign)]
    # The same rows once more, with everything secret changed, and the listener's own traces taken back.
    Vote.objects.filter(retracts__isnull=False).delete()
    Vote.objects.exclude(pk=765_432_109).delete()
    Skip.objects.all().delete()
    TextLabel.objects.update(label="positive", vader=1.0, textblob=1.0, pattern=1.0, mean=1.0)
    Segment.objects.update(text="quite other words")
    segment = Segment.objects.get()
    segment.predictions.update(label="positive", p_positive=1, p_neutral=0, p_negative=0)
    type(segment.video).objects.update(title="another title", dataset_id="12")
    Vote.objects.update(label="positive")
    second = [masked(raw) for raw in walk(annotator_client, secret_campaign)]
    assert len(first) == len(second)
    # Only the number of the listener's own slot may differ, as they took a new one.
    slots = re.compile(rb"/annotate/\d+/(clip|vote|skip|renew)")
    assert [slots.sub(rb"", raw) for raw in first] == [slots.sub(rb"", raw) for raw in second]


# ---------------------------------------------------------------- task_clip


def test_the_clip_is_the_segment(annotator_client, slot):
    response = annotator_client.get(f"/annotate/{slot.pk}/clip")
    assert response["Content-Type"] == "audio/wav"
    info = sf.info(io.BytesIO(response.content))
    assert (info.samplerate, info.channels) == (16_000, 1)
    assert abs(info.duration - slot.task.segment.duration_ms / 1000) <= 0.001


def test_the_clip_is_for_its_holder_alone(other_client, admin_client, slot):
    assert other_client.get(f"/annotate/{slot.pk}/clip").status_code == 404


def test_the_clip_is_gone_after_the_vote(annotator_client, annotator, slot):
    assignment.submit(slot, annotator, "neutral", uuid.uuid4())
    assert annotator_client.get(f"/annotate/{slot.pk}/clip").status_code == 404


def test_the_clip_is_gone_after_a_takeover(annotator_client, other_client, slot, factory):
    Slot.objects.update(annotator=factory.make_user("third"), lease_ends=timezone.now())
    assert annotator_client.get(f"/annotate/{slot.pk}/clip").status_code == 404


def test_the_clip_is_kept_by_no_cache_and_has_no_name(annotator_client, slot):
    response = annotator_client.get(f"/annotate/{slot.pk}/clip")
    assert response["Cache-Control"] == "private, no-store"
    for header in ("ETag", "Last-Modified", "Content-Disposition"):
        assert header not in response


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-99", 206, 0, 99),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, None),
        ("bytes=0-99999999", 206, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("bytes=0-" + "9" * 5000, 206, 0, None),
        ("bytes=-" + "9" * 5000, 206, 0, None),
        ("bytes=-", 200, 0, None),
        ("lines=1-2", 200, 0, None),
    ],
)
def test_players_can_seek_in_the_clip(annotator_client, slot, asked, status, first, last):
    whole = annotator_client.get(f"/annotate/{slot.pk}/clip").content
    response = annotator_client.get(f"/annotate/{slot.pk}/clip", headers={"Range": asked})
    expected = whole[first:] if last is None else whole[first : last + 1]
    assert (response.status_code, response.content) == (status, expected)
    if status == 206:
        start = first % len(whole)
        end = start + len(expected) - 1
        assert response["Content-Range"] == f"bytes {start}-{end}/{len(whole)}"


def test_a_range_beyond_the_clip_cannot_be_had(annotator_client, slot):
    response = annotator_client.get(f"/annotate/{slot.pk}/clip", headers={"Range": "bytes=99999999-"})
    assert response.status_code == 416
    assert response["Content-Range"].startswith("bytes */")
    beyond = {"Range": f"bytes={'9' * 5000}-"}
    assert annotator_client.get(f"/annotate/{slot.pk}/clip", headers=beyond).status_code == 416


def test_a_clip_that_cannot_be_cut_is_not_found(annotator_client, slot):
    Segment.objects.update(start_ms=9_000_000, end_ms=9_003_000)
    assert annotator_client.get(f"/annotate/{slot.pk}/clip").status_code == 404


# ---------------------------------------------------------------- submit_vote


def test_a_vote_is_kept_and_the_next_segment_follows(annotator_client, annotator, campaign, slot):
    fields = ballot(label="negative", time_spent_ms="5100", heard_share="0.5")
    response = annotator_client.post(f"/annotate/{slot.pk}/vote/", fields)
    assert (response.status_code, response["Location"]) == (302, f"/annotate/{campaign.pk}/")
    vote = Vote.objects.get()
    assert (vote.label, vote.annotator, vote.time_spent_ms, vote.heard_share) == ("negative", annotator, 5100, 0.5)
    assert str(vote.client_id) == fields["client_id"]
    assert "<b>1</b> done, <b>2</b> left for you" in annotator_client.get(response["Location"]).content.decode()


def test_a_vote_without_measurements_counts_too(annotator_client, slot):
    annotator_client.post(f"/annotate/{slot.pk}/vote/", ballot(time_spent_ms="", heard_share=""))
    assert Vote.objects.get().heard_share is None


def test_a_double_click_counts_once(annotator_client, slot):
    fields = ballot()
    for _ in range(2):
        assert annotator_client.post(f"/annotate/{slot.pk}/vote/", fields).status_code == 302
    assert Vote.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"label": "angry"},
        {"label": ""},
        {"client_id": "nonsense"},
        {"client_id": ""},
        {"time_spent_ms": "-1"},
        {"time_spent_ms": "99999999999"},
        {"heard_share": "1.5"},
        {"heard_share": "nan"},
    ],
)
def test_bad_input_is_refused_with_a_sentence(annotator_client, slot, fields):
    response = annotator_client.post(f"/annotate/{slot.pk}/vote/", ballot(**fields))
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/plain")
    assert len(response.content) > 10
    assert not Vote.objects.exists()


def test_nobody_votes_in_anothers_slot(other_client, campaign, slot):
    response = other_client.post(f"/annotate/{slot.pk}/vote/", ballot(), follow=True)
    assert not Vote.objects.exists()
    assert "nothing was counted" in response.content.decode()


def test_a_vote_for_a_slot_that_is_gone_is_told(annotator_client, slot):
    Slot.objects.all().delete()
    response = annotator_client.post(f"/annotate/{slot.pk}/vote/", ballot(), follow=True)
    assert "nothing was counted" in response.content.decode()


def test_a_vote_needs_the_csrf_token(annotator, slot):
    client = Client(enforce_csrf_checks=True)
    client.force_login(annotator)
    assert client.post(f"/annotate/{slot.pk}/vote/", ballot()).status_code == 403
    assert not Vote.objects.exists()


# ---------------------------------------------------------------- skip, undo, renew


def test_skipping_goes_on_with_another(annotator_client, campaign, slot):
    response = annotator_client.post(f"/annotate/{slot.pk}/skip/", follow=True)
    assert Skip.objects.get().task == slot.task
    assert "<b>0</b> done, <b>2</b> left for you" in response.content.decode()


def test_nobody_skips_anothers_segment(other_client, slot):
    other_client.post(f"/annotate/{slot.pk}/skip/")
    assert not Skip.objects.exists()
    assert Slot.objects.filter(pk=slot.pk).exists()


def test_skipping_what_is_gone_is_told(annotator_client, slot):
    Slot.objects.all().delete()
    assert "nothing was counted" in annotator_client.post(f"/annotate/{slot.pk}/skip/", follow=True).content.decode()


def test_undo_brings_the_segment_back(annotator_client, annotator, campaign, slot):
    assignment.submit(slot, annotator, "neutral", uuid.uuid4())
    response = annotator_client.post(f"/annotate/{campaign.pk}/undo/", follow=True)
    assert f'data-clip="/annotate/{slot.pk}/clip"' in response.content.decode()
    assert not Vote.objects.standing().exists()


def test_undo_without_a_vote_says_so(annotator_client, campaign):
    response = annotator_client.post(f"/annotate/{campaign.pk}/undo/", follow=True)
    assert "no vote of yours to undo" in response.content.decode()


def test_undo_touches_ones_own_votes_only(annotator_client, campaign, factory):
    factory.make_vote(campaign.tasks.first())
    annotator_client.post(f"/annotate/{campaign.pk}/undo/")
    assert Vote.objects.standing().count() == 1


def test_undo_in_a_closed_campaign_says_so(annotator_client, annotator, campaign, slot):
    assignment.submit(slot, annotator, "neutral", uuid.uuid4())
    campaign.is_open = False
    campaign.save()
    response = annotator_client.post(f"/annotate/{campaign.pk}/undo/", follow=True)
    assert "closed, so votes are no longer taken" in response.content.decode()
    assert Vote.objects.standing().count() == 1


def test_undo_in_an_unknown_campaign_is_not_found(annotator_client):
    assert annotator_client.post("/annotate/999/undo/").status_code == 404


def test_renewing_prolongs_the_lease(annotator_client, slot):
    Slot.objects.update(lease_ends=timezone.now())
    assert annotator_client.post(f"/annotate/{slot.pk}/renew/").status_code == 204
    assert Slot.objects.get().lease_ends > timezone.now()


@pytest.mark.parametrize("gone", [False, True])
def test_renewing_what_is_lost_says_so(other_client, slot, gone):
    if gone:
        Slot.objects.all().delete()
    response = other_client.post(f"/annotate/{slot.pk}/renew/")
    assert response.status_code == 409
    assert "went to someone else" in response.content.decode()
