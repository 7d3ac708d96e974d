"""Choosing from a list in a browser: the page follows the reading by itself, and one box ticks all."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page
from redis import Redis

from pipeline import listing
from pipeline.models import Video
from tests.feeds import add_talks
from tests.loopback import Site
from tests.pipeline.conftest import _queue_server, feeds, redis

__all__ = ["_queue_server", "feeds", "redis"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_pasted_list_is_read_chosen_from_and_added(
    page: Page, sign_in: Callable[[User], None], admin: User, live_server: Any, feeds: Site, redis: Redis
) -> None:
    url = add_talks(feeds, 5, path="/talks.rss")
    sign_in(admin)
    page.goto(f"{live_server.url}/videos/?add=urls")
    page.fill("textarea[name=urls]", url)
    page.click("text=Add and fetch")
    page.wait_for_selector("text=the list waits")
    listing.carry_out(listing._key(url, 1))
    page.wait_for_selector("text=Talk 5")
    assert page.inner_text("h1") == "Talks & more"

    page.check("#video-2")
    assert page.inner_text("#n-chosen") == "1 of 5 chosen"
    page.check("#choose-all")
    assert page.inner_text("#n-chosen") == "5 of 5 chosen"
    page.uncheck("#video-1")
    assert page.inner_text("#n-chosen") == "4 of 5 chosen"
    assert not page.is_checked("#choose-all")
    page.click("text=Add and fetch")
    page.wait_for_selector("text=4 videos added.")
    assert [video.title for video in Video.objects.all()] == ["Talk 2", "Talk 3", "Talk 4", "Talk 5"]
