"""Guesses of passwords are few, for whoever makes them, wherever they come from and however they are spelled."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from crossmodal import throttle
from crossmodal.models import SignInBudget
from crossmodal.throttle import (
    PER_ACCOUNT,
    PER_ACCOUNT_AND_ADDRESS,
    PER_ADDRESS,
    PER_DEVICE,
    PER_INSTALLATION,
    PER_IPV6_SITE,
)
from tests.project.sign_in import (
    PASSWORD,
    STRANGER,
    guess,
    page_of,
    sign_in,
    spend,
    spend_from_many,
)

HOME = "127.0.0.1"

pytestmark = pytest.mark.usefixtures("clock")


def test_ten_slips_are_allowed_and_the_right_password_after_them_is_not_called_wrong(annotator, hashed, clock):
    assert guess("ann", 10) == [200] * 10
    response = sign_in(Client(), "ann", address=STRANGER)
    assert (response.status_code, response["Retry-After"]) == (429, "300")
    page = page_of(response)
    assert "this password was not looked at. Wait 5 minutes, then try again." in page
    assert "do not match" not in page
    assert len(hashed) == 10
    clock.wait(299)
    assert "Wait 1 second, then" in page_of(sign_in(Client(), "ann", address=STRANGER))
    clock.wait(1)
    assert sign_in(Client(), "ann", address=STRANGER).status_code == 302


def test_nine_slips_and_the_right_password(annotator):
    client = Client()
    guess("ann", 9, HOME, client)
    assert sign_in(client, "ann").status_code == 302


def test_waiting_guesses_do_not_prolong_the_wait(annotator, clock):
    guess("ann", 15)
    clock.wait(300)
    assert sign_in(Client(), "ann", address=STRANGER).status_code == 302


def test_after_the_wait_there_is_one_guess_and_all_ten_after_a_long_one(annotator, clock):
    guess("ann", 10)
    clock.wait(300)
    assert guess("ann", 2) == [200, 429]
    clock.wait(3000)
    assert guess("ann", 11) == [200] * 10 + [429]


def test_what_is_typed_right_costs_nothing(annotator, clock):
    for _ in range(PER_ACCOUNT_AND_ADDRESS.burst + 1):
        assert sign_in(Client(), "ann").status_code == 302
    assert all(row.whole_at_ms <= clock.now_ms for row in SignInBudget.objects.all())


def test_signing_in_to_the_own_account_buys_no_guesses_at_others(annotator, admin, hashed):
    for _ in range(12):
        guess("ada", 1)
        sign_in(Client(), "ann", address=STRANGER)
    assert len([password for password in hashed if password != PASSWORD]) == 10


@pytest.mark.usefixtures("roomy")
def test_signing_in_to_the_own_account_frees_no_address(factory, annotator):
    for n in range(PER_ADDRESS.burst):
        assert spend(f"name{n}", STRANGER)
        if n % 10 == 0:
            assert sign_in(Client(), "ann", address=STRANGER).status_code == 302
    assert guess("another") == [429]


def test_an_inactive_account_and_its_right_password_count_as_a_slip(annotator):
    User.objects.filter(pk=annotator.pk).update(is_active=False)
    responses = [sign_in(Client(), "ann").status_code for _ in range(11)]
    assert responses == [200] * 10 + [429]


# ---------------------------------------------------------------- floods


@pytest.mark.usefixtures("roomy")
def test_many_accounts_from_one_address_are_few_guesses(annotator, hashed):
    assert sum(spend(f"name{n}", STRANGER) for n in range(PER_ADDRESS.burst + 10)) == PER_ADDRESS.burst
    assert guess("ann") == [429]
    assert hashed == []
    assert guess("ann", 1, "192.0.2.99") == [200]


@pytest.mark.usefixtures("roomy")
def test_one_account_from_many_addresses_is_few_guesses(annotator, hashed):
    assert spend_from_many("ann") == PER_ACCOUNT.burst
    assert guess("ann", 1, "192.0.2.50") == [429]
    assert hashed == []


def test_an_address_of_ipv6_counts_with_its_64(annotator):
    statuses = [guess("ann", 1, f"2001:db8:1:2::{n:x}")[0] for n in range(1, 13)]
    assert statuses == [200] * 10 + [429] * 2
    assert guess("ann", 1, "2001:db8:1:3::1") == [200]


@pytest.mark.usefixtures("roomy")
def test_many_networks_of_one_site_of_ipv6_are_few_guesses(hashed):
    taken = [spend(f"name{n}", f"2001:db8:1:{n:x}::1") for n in range(PER_IPV6_SITE.burst + 20)]
    assert sum(taken) == PER_IPV6_SITE.burst
    assert guess("another", 1, "2001:db8:1:ffff::1") == [429]
    assert guess("another", 1, "2001:db8:2::1") == [200]


def test_many_accounts_from_many_addresses_leave_the_processor_alone(known, hashed):
    hashed.clear()
    assert sum(spend(f"name{n}", f"203.0.{n}.1") for n in range(40)) == PER_INSTALLATION.burst
    assert guess("another") == [429]
    assert hashed == []
    assert sign_in(known, "ann", address=STRANGER).status_code == 302


@pytest.mark.parametrize(("elapsed_ms", "hashed_per_minute"), [(100, 120), (500, 120), (1000, 60), (30_000, 60)])
def test_a_busy_machine_hashes_fewer_passwords_of_strangers(clock, elapsed_ms, hashed_per_minute):
    budgets = [throttle.Budget.of(PER_INSTALLATION)]
    while not throttle.spend(budgets):
        throttle.charge_time(budgets, elapsed_ms)
    made = 0
    for _ in range(240):
        clock.wait(0.25)
        if not throttle.spend(budgets):
            made += 1
            throttle.charge_time(budgets, elapsed_ms)
    assert made == pytest.approx(hashed_per_minute, abs=1)


def test_a_slow_hash_is_charged_to_the_installation_and_to_nobody_else(annotator, known, clock, monkeypatch):
    installation = throttle.Budget.of(PER_INSTALLATION)
    charged = []
    monkeypatch.setattr(throttle, "charge_time", lambda budgets, elapsed_ms: charged.append((budgets, elapsed_ms)))
    guess("ann")
    assert installation in charged[0][0]
    monkeypatch.undo()
    device = [throttle.Budget.of(PER_DEVICE, "ann", "device")]
    assert throttle.spend(device) == 0
    rows = set(SignInBudget.objects.values_list())
    throttle.charge_time(device, 5000)
    assert set(SignInBudget.objects.values_list()) == rows


@pytest.mark.parametrize("proxies", [1, 2])
def test_a_forged_forwarded_address_changes_nothing(settings, annotator, hashed, proxies):
    settings.TRUSTED_PROXIES = proxies
    for n in range(15):
        forwarded = ", ".join([f"203.0.113.{n}", "198.51.100.7", *["10.0.0.1"] * (proxies - 1)])
        data = {"username": "ann", "password": f"wrong {n}"}
        Client().post(reverse("login"), data, REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": forwarded})
    assert len(hashed) == 10


@pytest.mark.parametrize("forwarded", ["", "unknown", "203.0.113.{n}, x", "{n}", "203.0.113.{n},"])
def test_a_broken_forwarded_address_changes_nothing(settings, annotator, hashed, forwarded):
    settings.TRUSTED_PROXIES = 1
    for n in range(12):
        headers = {"X-Forwarded-For": forwarded.format(n=n)}
        Client().post(reverse("login"), {"username": "ann", "password": f"wrong {n}"}, headers=headers)
    assert len(hashed) == 10


def test_one_name_in_many_spellings_is_one_name(annotator, hashed):
    spellings = ["ann", "ANN", "Ann", "aNn", " ann", "ann ", "\u3000ann", "ａｎｎ", "ＡＮＮ", "ᴬnn", "\tann\n", "anN"]
    for spelling in spellings:
        sign_in(Client(), spelling, "wrong", STRANGER)
    assert len(hashed) == 10


@pytest.mark.parametrize("name", ["ann\0", "a" * 151, "ﷺ" * 150, "a" * 60_000, "\0", " "])
def test_a_name_that_nobody_can_have_is_refused_unhashed_and_uncounted(annotator, hashed, name):
    assert sign_in(Client(), name, "wrong").status_code == 200
    assert hashed == []
    assert not SignInBudget.objects.exists()


@pytest.mark.parametrize("password", ["x" * 4097, "x" * 60_000, "x\0", ""])
def test_a_password_that_nobody_can_have_is_refused_unhashed(annotator, hashed, password):
    assert sign_in(Client(), "ann", password).status_code == 200
    assert hashed == []


def test_no_password_can_be_chosen_that_the_sign_in_page_would_not_take(annotator_client, annotator):
    long = "a long phrase " * 300
    data = {"old_password": PASSWORD, "new_password1": long, "new_password2": long}
    assert "at most 4096 characters" in page_of(annotator_client.post(reverse("password_change"), data))
    long = long[:4096].strip()
    data |= {"new_password1": long, "new_password2": long}
    assert annotator_client.post(reverse("password_change"), data).status_code == 302
    assert sign_in(Client(), "ann", long).status_code == 302
