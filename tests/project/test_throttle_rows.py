"""What the throttle tells, keeps and costs."""

import logging

import pytest
from django.test import Client

from crossmodal import throttle
from crossmodal.models import KnownAddress, SignInBudget
from crossmodal.throttle import (
    PER_ACCOUNT,
    PER_DEVICE,
)
from tests.project.sign_in import (
    STRANGER,
    guess,
    page_of,
    sign_in,
)

pytestmark = pytest.mark.usefixtures("clock")


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
