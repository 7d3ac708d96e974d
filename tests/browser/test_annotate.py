"""Listening and voting in Chromium."""

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from annotation.models import Skip, Slot, Vote
from pipeline.models import Segment
from tests.annotation.conftest import make_audible_campaign, make_audible_video  # noqa: F401
from tests.browser.conftest import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def campaign(make_audible_campaign):  # noqa: F811
    return make_audible_campaign(4, guidelines="Judge the voice, not the words.")


@pytest.fixture
def room(page, live_server, sign_in, annotator, campaign):
    """The listening room with its clip loaded."""
    sign_in(annotator)
    page.goto(f"{live_server.url}/annotate/")
    expect(page).to_have_url(f"{live_server.url}/annotate/{campaign.pk}/")
    ready(page)
    return page


def ready(page):
    expect(page.locator("#room")).to_have_attribute("data-ready", "true")


def press_and_wait(page, key):
    """Press a key that changes the segment, and wait for the next one's clip."""
    clip = page.locator("#room").get_attribute("data-clip")
    page.keyboard.press(key)
    expect(page.locator("#room")).not_to_have_attribute("data-clip", clip)
    ready(page)


def test_the_clip_lasts_as_long_as_the_segment(room):
    segment = Segment.objects.get(tasks__slots__filled=False)
    duration_s = room.evaluate("document.querySelector('audio').duration")
    assert abs(duration_s - segment.duration_ms / 1000) <= 0.050


def test_the_waveform_is_drawn(room):
    drawn = room.evaluate(
        """() => {
          const root = document.querySelector('.clip__wave').firstElementChild.shadowRoot;
          const canvas = root.querySelector('canvas');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return { width: canvas.width, inked: data.some((value) => value !== 0),
                   styled: getComputedStyle(root.querySelector('.wrapper')).overflow === 'visible' &&
                           getComputedStyle(canvas).position === 'absolute' };
        }"""
    )
    assert drawn["width"] > 300
    assert drawn["inked"]
    assert drawn["styled"], "the style element in the shadow root was refused"


def test_space_plays_from_the_start(room):
    room.keyboard.press(" ")
    until(room, "document.querySelector('audio').currentTime > 0.2")
    room.keyboard.press(" ")
    until(room, "document.querySelector('audio').currentTime < 0.2")
    assert not room.evaluate("document.querySelector('audio').paused")
    expect(room.get_by_role("button", name="Pause")).to_be_visible()


def test_key_1_votes_positive_and_the_next_segment_plays_by_itself(room, annotator):
    first = Slot.objects.get()
    room.keyboard.press(" ")
    until(room, "document.querySelector('audio').currentTime > 0.5")
    press_and_wait(room, "1")
    vote: Any = Vote.objects.get()
    assert (vote.label, vote.annotator, vote.task, vote.origin) == ("positive", annotator, first.task, "listened")
    assert 0.1 < vote.heard_share < 1
    assert vote.time_spent_ms >= 500
    until(room, "document.querySelector('audio').currentTime > 0")
    assert room.locator(".room__count").inner_text() == "1 done, 3 left for you"


@pytest.mark.parametrize(("key", "label"), [("2", "neutral"), ("3", "negative")])
def test_keys_2_and_3_vote_too(room, key, label):
    press_and_wait(room, key)
    assert Vote.objects.get().label == label


def test_u_undoes_the_last_vote_and_brings_its_segment_back(room):
    clip = room.locator("#room").get_attribute("data-clip")
    press_and_wait(room, "1")
    press_and_wait(room, "u")
    assert room.locator("#room").get_attribute("data-clip") == clip
    assert not Vote.objects.standing().exists()
    assert Vote.objects.count() == 2  # the vote, and the row that retracts it
    expect(room.get_by_role("button", name="Undo")).to_be_disabled()


def test_s_skips_for_good(room, annotator):
    task = Slot.objects.get().task
    press_and_wait(room, "s")
    assert Skip.objects.get().task == task
    assert not Vote.objects.exists()
    for _ in range(2):
        press_and_wait(room, "2")
    room.keyboard.press("2")
    expect(room.get_by_role("heading", name="Thank you")).to_be_visible()
    assert task.pk not in Vote.objects.values_list("task_id", flat=True)
    assert Vote.objects.count() == 3


def test_a_reload_keeps_the_segment(room):
    clip = room.locator("#room").get_attribute("data-clip")
    room.reload()
    ready(room)
    assert room.locator("#room").get_attribute("data-clip") == clip
    assert Slot.objects.count() == 1


def test_a_lost_place_is_told_and_the_next_segment_shown(room, factory):
    other = factory.make_user("other")
    Slot.objects.update(annotator=other)
    room.keyboard.press("1")
    expect(room.locator(".message--warning")).to_contain_text("went to someone else")
    ready(room)
    assert not Vote.objects.exists()


def test_the_answer_of_a_refused_vote_is_told(room):
    room.evaluate("document.querySelector('[name=client_id]').value = 'nonsense'")
    room.keyboard.press("1")
    expect(room.locator("#listen-status")).to_contain_text("Enter a valid UUID")
    assert not Vote.objects.exists()


def test_who_was_signed_out_meanwhile_comes_to_the_sign_in_page(room, live_server):
    Session.objects.all().delete()
    room.keyboard.press("1")
    expect(room).to_have_url(re.compile("/accounts/login/"))
    assert not Vote.objects.exists()


def test_voting_works_without_scripts(browser, live_server, annotator, campaign, sign_in, page):
    sign_in(annotator)
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(f"{live_server.url}/annotate/{campaign.pk}/")
    expect(plain.locator("audio")).to_be_visible()
    expect(plain.locator(".clip__play")).to_be_hidden()
    plain.get_by_role("button", name="Negative").click()
    expect(plain.locator(".room__count")).to_have_text(re.compile(r"1 done, 3 left for you"))
    assert Vote.objects.get().label == "negative"
    plain.get_by_role("button", name="Undo").click()
    expect(plain.locator(".room__count")).to_have_text(re.compile(r"0 done, 4 left for you"))
    plain.get_by_role("button", name="Skip").click()
    expect(plain.locator(".room__count")).to_have_text(re.compile(r"0 done, 3 left for you"))
    context.close()
