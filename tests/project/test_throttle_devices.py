"""Nobody is kept out by the guesses of somebody else: devices and addresses that signed in before."""

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from crossmodal import devices
from crossmodal.models import KnownAddress
from crossmodal.throttle import (
    PER_ACCOUNT_AND_ADDRESS,
)
from tests.project.sign_in import (
    STRANGER,
    guess,
    page_of,
    sign_in,
    spend,
    spend_from_many,
)

HOME = "127.0.0.1"

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.parametrize("role", ["admin", "annotator"])
def test_a_stranger_at_one_address_keeps_nobody_out(factory, role):
    factory.make_user("victim", role=role)
    guess("victim", 12)
    assert not any(spend("victim", STRANGER) for _ in range(200))
    assert sign_in(Client(), "victim", address=HOME).status_code == 302


@pytest.mark.usefixtures("roomy")
def test_strangers_at_many_addresses_do_not_keep_out_a_device_that_signed_in_before(known):
    spend_from_many("ann")
    assert sign_in(Client(), "ann", address="192.0.2.50").status_code == 429
    assert sign_in(known, "ann", address="192.0.2.50").status_code == 302


@pytest.mark.usefixtures("roomy")
def test_strangers_at_many_addresses_do_not_keep_out_an_address_that_signed_in_before(known, clock):
    spend_from_many("ann")
    assert sign_in(Client(), "ann", address=HOME).status_code == 302
    clock.wait(31 * 24 * 3600)
    spend_from_many("ann")
    assert sign_in(Client(), "ann", address=HOME).status_code == 429


def test_a_neighbour_at_the_same_address_does_not_keep_out_a_device_that_signed_in_before(known):
    guess("ann", 15, HOME)
    assert guess("ann", 1, HOME) == [429]
    assert sign_in(known, "ann", address=HOME).status_code == 302


def test_a_device_has_guesses_of_its_own_but_few(known, hashed, clock):
    assert guess("ann", 12, HOME, known) == [200] * 10 + [429] * 2
    assert "Wait 1 minute, then" in page_of(sign_in(known, "ann"))
    clock.wait(60)
    assert sign_in(known, "ann").status_code == 302


def test_a_device_has_guesses_of_its_own_for_its_own_accounts_alone(known, admin, hashed):
    hashed.clear()
    guess("ada", 12, STRANGER, known)
    assert len(hashed) == PER_ACCOUNT_AND_ADDRESS.burst


@pytest.mark.parametrize("forged", ["", "x", "x:y:z", "W10:1tSp6z:AAAA", "[]", "\u00e9"])
def test_a_forged_device_is_a_stranger(annotator, hashed, forged):
    client = Client()
    client.cookies[devices.COOKIE] = forged
    assert guess("ann", 12, STRANGER, client) == [200] * 10 + [429] * 2


def test_a_device_signed_with_another_key_or_for_another_purpose_is_a_stranger(known, settings):
    entries = [(devices._tag("ann"), "device")]
    for cookie in (signing.dumps(entries, salt="elsewhere"), signing.dumps(entries, key="x" * 50, salt=devices.SALT)):
        client = Client()
        client.cookies[devices.COOKIE] = cookie
        assert guess("ann", 11, STRANGER, client)[-1] == 429


def test_a_device_is_forgotten_after_a_year(known, monkeypatch):
    request = Client().get(reverse("login")).wsgi_request
    request.COOKIES[devices.COOKIE] = known.cookies[devices.COOKIE].value
    assert devices.device_of(request, "ann")
    later = devices.MAX_AGE_S + signing.time.time() + 1
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert devices.device_of(request, "ann") == ""


def test_a_device_remembers_eight_accounts_and_the_cookie_stays_short(factory):
    client = Client()
    for n in range(10):
        factory.make_user(f"lab{n}")
        assert sign_in(client, f"LAB{n}" if n == 0 else f"lab{n}").status_code == (200 if n == 0 else 302)
        client.post(reverse("logout"))
    cookie = client.cookies[devices.COOKIE]
    assert len(cookie.value) < 700
    assert "lab" not in signing.b64_decode(cookie.value.split(":")[0].lstrip(".").encode()).decode(errors="replace")
    guess("lab9", 12, STRANGER, client)
    assert sign_in(client, "lab2", address=STRANGER).status_code == 302


def test_the_cookie_of_a_device_is_kept_from_scripts_and_other_sites_and_other_pages(known, settings, annotator):
    cookie = known.cookies[devices.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", reverse("login"))
    assert int(cookie["max-age"]) == devices.MAX_AGE_S
    settings.SESSION_COOKIE_SECURE = True
    client = Client()
    sign_in(client, "ann")
    assert client.cookies[devices.COOKIE]["secure"]


def test_a_wrong_password_makes_no_device_and_no_known_address(annotator):
    client = Client()
    guess("ann", 3, HOME, client)
    assert devices.COOKIE not in client.cookies
    assert not KnownAddress.objects.exists()
