"""Guesses of passwords are few, for whoever makes them; and nobody is kept out by the guesses of somebody else."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.urls import reverse

from crossmodal import devices, throttle
from crossmodal.models import KnownAddress, SignInBudget
from crossmodal.throttle import (
    PER_ACCOUNT,
    PER_ACCOUNT_AND_ADDRESS,
    PER_ADDRESS,
    PER_DEVICE,
    PER_INSTALLATION,
    PER_IPV6_SITE,
    Limit,
)
from tests.factories import Factory
from tests.project.sign_in import (
    PASSWORD,
    STRANGER,
    Clock,
    counted_hashes,
    guess,
    page_of,
    sign_in,
    spend,
    spend_from_many,
)

HOME = "127.0.0.1"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, db: None) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    with counted_hashes(monkeypatch) as hashed:
        yield hashed


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that hashes as many passwords as it is given."""
    monkeypatch.setattr(throttle, "PER_INSTALLATION", Limit(PER_INSTALLATION.kind, 10_000, 1))


@pytest.fixture
def known(annotator: User) -> Client:
    """The browser in which ann signed in once, and out again."""
    client = Client()
    assert sign_in(client, "ann").status_code == 302
    client.post(reverse("logout"))
    return client


# ---------------------------------------------------------------- one person


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


# ---------------------------------------------------------------- nobody locks somebody else out


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


# ---------------------------------------------------------------- what it tells, keeps and costs


def test_known_and_unknown_names_cost_the_same_and_are_answered_the_same(annotator, hashed, django_assert_num_queries):
    answers = []
    for name, address in (("ann", "192.0.2.1"), ("nobody", "192.0.2.2")):
        guess(name, 1, address)  # makes the rows
        hashed.clear()
        with django_assert_num_queries(9):  # two looks, four counts between BEGIN and COMMIT, the account
            guess(name, 1, address)
        answers.append((len(hashed), guess(name, 9, address), page_of(sign_in(Client(), name, "x", address))))
    page = [answer[2].replace(name, "") for answer, name in zip(answers, ("ann", "nobody"), strict=True)]
    assert answers[0][:2] == answers[1][:2] == (1, [200] * 8 + [429])
    assert page[0].split("csrfmiddlewaretoken")[1][100:] == page[1].split("csrfmiddlewaretoken")[1][100:]


def test_a_guess_that_waits_only_reads(annotator, hashed, django_assert_num_queries):
    guess("ann", 10)
    before = list(SignInBudget.objects.values_list("slot", "whole_at_ms"))
    with django_assert_num_queries(2):
        assert guess("ann") == [429]
    assert list(SignInBudget.objects.values_list("slot", "whole_at_ms")) == before


def test_names_passwords_and_addresses_stand_neither_in_the_tables_nor_in_the_log(known, caplog):
    with caplog.at_level(logging.INFO):
        guess("ann", 12, STRANGER)
        guess("Somebody-Else", 2, STRANGER)
    assert {type(value) for row in SignInBudget.objects.values_list() for value in row} == {int}
    assert {type(value) for row in KnownAddress.objects.values_list() for value in row} == {int}
    assert not [record for record in caplog.records if record.name.startswith("crossmodal.")]
    assert "Too Many Requests" not in caplog.text


def test_whatever_the_names_the_table_cannot_outgrow_its_rows(monkeypatch, hashed):
    monkeypatch.setattr(throttle, "ROWS_PER_KIND", 8)
    for n in range(300):
        throttle.spend([throttle.Budget.of(PER_DEVICE, f"name {n}"), throttle.Budget.of(PER_ACCOUNT, f"name {n}")])
    assert SignInBudget.objects.count() == 16


def test_budgets_that_are_whole_are_deleted_in_one_statement(annotator, clock, django_assert_num_queries):
    guess("ann", 10)
    guess("bob", 1, "192.0.2.3")
    clock.wait(2 * 3600)
    with django_assert_num_queries(3):  # a savepoint around it
        throttle.delete_whole()
    assert not SignInBudget.objects.exists()


def test_new_rows_bring_old_ones_to_an_end_but_not_those_in_use(annotator, clock):
    SignInBudget.objects.bulk_create(SignInBudget(slot=-n - 1, whole_at_ms=n) for n in range(1500))
    guess("ann", 10)
    assert SignInBudget.objects.filter(slot__lt=0).count() == 500
    clock.wait(1800)
    guess("bob", 1, "192.0.2.3")
    assert SignInBudget.objects.filter(slot__lt=0).count() == 0
    assert SignInBudget.objects.count() == 7


def test_an_address_that_signs_in_every_day_is_written_once_a_day(known, clock):
    until_ms = KnownAddress.objects.get().until_ms
    sign_in(Client(), "ann")
    assert KnownAddress.objects.get().until_ms == until_ms
    clock.wait(25 * 3600)
    sign_in(Client(), "ann")
    assert KnownAddress.objects.get().until_ms > until_ms
    clock.wait(40 * 24 * 3600)
    sign_in(Client(), "ann", address=STRANGER)
    assert KnownAddress.objects.count() == 1


# ---------------------------------------------------------------- every door


def change_password(client: Client, old: str) -> Any:
    data = {"old_password": old, "new_password1": "a longer pass phrase", "new_password2": "a longer pass phrase"}
    return client.post(reverse("password_change"), data)


def test_the_old_password_cannot_be_guessed_at_a_session_left_open(annotator_client, hashed, clock):
    assert [change_password(annotator_client, f"wrong {n}").status_code for n in range(10)] == [200] * 10
    hashed.clear()
    response = change_password(annotator_client, PASSWORD)
    assert (response.status_code, response["Retry-After"]) == (429, "60")
    assert "this password was not looked at. Wait 1 minute, then try again." in page_of(response)
    assert hashed == []
    clock.wait(60)
    assert change_password(annotator_client, PASSWORD).status_code == 302


def test_a_huge_old_password_is_refused_unhashed(annotator_client, hashed):
    assert "No password has more than" in page_of(change_password(annotator_client, "x" * 5000))
    assert hashed == []


def test_guesses_at_a_session_left_open_keep_nobody_from_signing_in(annotator_client, annotator):
    for n in range(12):
        change_password(annotator_client, f"wrong {n}")
    assert sign_in(Client(), "ann").status_code == 302


@pytest.mark.parametrize("who", ["nobody", "annotator", "admin"])
@pytest.mark.parametrize("url", ["/admin/login/", "/admin/password_change/", "/admin/", "/admin/auth/user/"])
def test_the_admin_site_looks_at_no_password(factory: Factory, hashed: list[str], who: str, url: str) -> None:
    admin = factory.make_user("ada", role="admin")
    client = Client()
    if who == "annotator":
        client.force_login(factory.make_user("ann"))
    elif who == "admin":
        client.force_login(admin)
    hashed.clear()
    fields = {"username": "ada", "password": PASSWORD, "old_password": PASSWORD, "next": "/admin/"}
    fields |= {"new_password1": "a longer pass phrase", "new_password2": "a longer pass phrase"}
    assert client.post(url, fields).status_code in (200, 302, 403)
    assert hashed == []
    assert client.session.get("_auth_user_id") == (None if who == "nobody" else client.session["_auth_user_id"])


def test_the_admin_site_sends_to_the_pages_that_ask_for_passwords(client, annotator_client, admin_client, admin):
    response = client.get("/admin/login/?next=/admin/")
    assert response.url.startswith(reverse("login"))
    assert annotator_client.get("/admin/login/").status_code == 403
    assert admin_client.get("/admin/login/").url == reverse("admin:index")
    assert admin_client.get("/admin/password_change/").url == reverse("password_change")


def test_an_admin_whom_the_admin_site_does_not_take_is_not_sent_in_circles(admin_client, admin):
    User.objects.filter(pk=admin.pk).update(is_staff=False)
    assert admin_client.get("/admin/login/").status_code == 403


@pytest.mark.parametrize("token", ["guess", "0", "%C3%A9t%C3%A9", "%C3%A9/", "%C3%A9%0A", "x" * 5000])
def test_no_token_opens_the_figures_of_the_queues(client, db, token):
    for headers in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": "Basic YWRhOmFkYQ=="}):
        for page in (f"stats.json/{token}", f"statsXjson/{token}", "stats.json/"):
            # Refused, or sent to where people sign in.
            assert client.get(f"/admin/queues/{page}", headers=headers).status_code in (302, 401, 404)
