"""A resting site in a real browser: the time is the reader's own, also after the table fetched itself again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page

from pipeline.choices import VideoState
from pipeline.models import DownloadSite, Video
from tests.browser.conftest import until
from tests.factories import Factory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REASON = "The site wants a pause; own cookies (DOWNLOAD_COOKIES) help."
LOCAL_TIME = """(() => {
  const time = document.querySelector(".resting time");
  const local = new Date(time.dateTime);
  const two = (number) => String(number).padStart(2, "0");
  return time.textContent.endsWith(`${two(local.getHours())}:${two(local.getMinutes())}`);
})()"""


@pytest.fixture
def queued(factory: Factory) -> Video:
    DownloadSite.objects.create(name="youtube.com", rests_until=timezone.now() + timedelta(hours=1), reason=REASON)
    return factory.make_video(state=VideoState.QUEUED, site="youtube.com")


def test_a_rest_is_shown_in_local_time_and_can_be_ended(
    queued: Video, page: Page, live_server: Any, admin: User, sign_in: Callable[[User], None]
) -> None:
    sign_in(admin)
    page.goto(f"{live_server.url}/videos/")
    until(page, LOCAL_TIME)
    page.evaluate("document.querySelector('.resting').dataset.old = '1'")
    until(page, "document.querySelector('.resting') && !document.querySelector('.resting[data-old]')")
    until(page, LOCAL_TIME)

    page.goto(f"{live_server.url}/videos/{queued.pk}/")
    assert "youtube.com rests until" in page.inner_text("#video-state")
    assert REASON in page.inner_text("main")

    page.goto(f"{live_server.url}/videos/")
    page.click("text=Try now")
    until(page, "!document.querySelector('.resting')")
    assert "youtube.com is asked again" in page.inner_text("main, body")
    assert DownloadSite.objects.get().rests_until is None
