"""Threads are left for pages while passwords are hashed."""

import os

import pytest
from django.conf import settings as django_settings
from django.test import Client

from crossmodal import throttle
from crossmodal.places import Places
from tests.project.sign_in import Clock, guess, page_of, sign_in, spend


def test_slow_work_takes_as_many_places_as_there_are() -> None:
    places = Places(2, quick_s=0)
    with places.one() as first, places.one() as second, places.one() as third:
        assert (first, second, third) == (True, True, False)
    with places.one() as again:
        assert again


def test_after_slow_work_there_are_no_more_places_and_after_quick_work_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("crossmodal.places.time.monotonic", lambda: now[0])
    places = Places(1, quick_s=0.6)
    for took_s, more in ((1.0, False), (0.1, True)):
        with places.one():
            now[0] += took_s
        with places.one(), places.one() as second:
            assert second is more
            now[0] += took_s


def test_while_work_under_way_is_slow_there_are_no_more_places(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("crossmodal.places.time.monotonic", lambda: now[0])
    places = Places(1, quick_s=0.6)
    with places.one():
        now[0] += 0.1
    with places.one(), places.one() as second:
        now[0] += 0.7
        with places.one() as third:
            assert (second, third) == (True, False)


def test_quick_work_may_take_more() -> None:
    places = Places(1, quick_s=60)
    with places.one():
        pass
    with places.one() as first, places.one() as second:
        assert (first, second) == (True, True)


def test_quick_work_leaves_the_other_half_of_the_threads_alone() -> None:
    places = Places(1, quick_s=60, most=2)
    with places.one() as first, places.one() as second, places.one() as third:
        assert (first, second, third) == (True, True, False)
    assert throttle.PLACES.most == django_settings.WEB_THREADS // 2


def test_a_place_is_free_again_after_an_error() -> None:
    places = Places(1, quick_s=0)
    with pytest.raises(KeyError), places.one():
        raise KeyError
    with places.one() as free:
        assert free


def test_where_threads_are_taken_strangers_wait_uncounted_and_known_devices_do_not(
    annotator: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch)
    known = Client()
    sign_in(known, "ann")
    known.post("/accounts/logout/")
    monkeypatch.setattr(throttle, "PLACES", Places(1, quick_s=0))
    with throttle.PLACES.one():
        assert guess("ann", 20) == [429] * 20
        assert "Wait 3 seconds, then try again." in page_of(sign_in(Client(), "ann", "x", "192.0.2.9"))
        assert sign_in(known, "ann", address="192.0.2.9").status_code == 302
    assert all(spend("ann", "198.51.100.7") for _ in range(10))


def test_passwords_of_strangers_take_no_more_threads_than_there_are_processors() -> None:
    assert 1 <= throttle.PLACES.count <= (os.cpu_count() or 1)
