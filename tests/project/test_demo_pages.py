import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from crossmodal.demo import turns
from crossmodal.management.commands import demo as demo_command
from crossmodal.models import Demonstration
from pipeline.queues import QueueUnavailable


def refuse(*args):
    raise QueueUnavailable


@pytest.mark.parametrize(("name", "method"), [("start_demo", "post"), ("demo_progress", "get")])
def test_only_admins_have_a_hand_in_the_demonstration(client, annotator_client, name, method):
    assert getattr(client, method)(reverse(name)).url.startswith(reverse("login"))
    assert getattr(annotator_client, method)(reverse(name)).status_code == 403
    assert not Demonstration.objects.exists()


def test_wrong_methods_are_refused(admin_client):
    assert admin_client.get(reverse("start_demo")).status_code == 405
    assert admin_client.post(reverse("demo_progress")).status_code == 405


def test_one_click_starts_it_and_a_second_one_changes_nothing(admin_client, workbench, demo_folder):
    assert admin_client.post(reverse("start_demo")).url == reverse("home")
    assert workbench.turns == [1]
    started = Demonstration.objects.get().started_at
    Demonstration.objects.update(held_until=timezone.now() + timedelta(minutes=1))
    admin_client.post(reverse("start_demo"))
    assert workbench.turns == [1]
    assert Demonstration.objects.get().started_at == started


def test_a_missing_queue_server_is_told_on_the_home_page(admin_client, monkeypatch):
    monkeypatch.setattr(turns, "_enqueue", refuse)
    page = admin_client.post(reverse("start_demo"), follow=True).content.decode()
    assert QueueUnavailable().message in page


def test_the_fragment_asks_again_until_it_is_done(admin_client, workbench, demo_folder):
    row = Demonstration.objects.create()
    page = admin_client.get(reverse("demo_progress")).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert "Speak and record the interviews" in page
    assert "<html" not in page
    Demonstration.objects.filter(pk=row.pk).update(finished_at=timezone.now())
    page = admin_client.get(reverse("demo_progress")).content.decode()
    assert "hx-trigger" not in page
    assert "Done" in page


def test_the_fragment_shows_what_went_wrong_and_offers_to_try_again(admin_client, workbench, demo_folder):
    Demonstration.objects.create(error_message="The site <b>does not answer</b>.")
    page = admin_client.get(reverse("demo_progress")).content.decode()
    assert "The site &lt;b&gt;does not answer&lt;/b&gt;." in page
    assert "Try again" in page
    assert f'action="{reverse("start_demo")}"' in page
    assert "hx-trigger" not in page
    assert workbench.turns == []


def test_the_command_starts_it_and_says_where_to_look(db, workbench, demo_folder, capsys):
    call_command("demo")
    assert capsys.readouterr().out == "The demonstration is under way; the home page shows how far it is.\n"
    assert workbench.turns == [1]


def test_the_command_waits_to_the_end(db, workbench, demo_folder, monkeypatch, capsys):
    monkeypatch.setattr(demo_command, "has_workers", lambda: True)
    monkeypatch.setattr(time, "sleep", lambda s: Demonstration.objects.update(finished_at=timezone.now()))
    call_command("demo", wait=True)
    assert capsys.readouterr().out == "The demonstration is ready: see the page Evaluation.\n"


def test_the_command_fails_with_the_sentence_of_the_step(db, workbench, demo_folder, monkeypatch):
    monkeypatch.setattr(demo_command, "has_workers", lambda: True)
    monkeypatch.setattr(time, "sleep", lambda s: Demonstration.objects.update(error_message="The disk is full."))
    with pytest.raises(CommandError, match="The disk is full."):
        call_command("demo", wait=True)


def test_the_command_does_not_wait_for_workers_that_are_not_there(db, workbench, demo_folder, monkeypatch):
    monkeypatch.setattr(demo_command, "has_workers", lambda: False)
    with pytest.raises(CommandError, match="No worker is running"):
        call_command("demo", wait=True)


def test_the_command_tells_of_a_missing_queue_server(db, demo_folder, monkeypatch):
    monkeypatch.setattr(turns, "_enqueue", refuse)
    with pytest.raises(CommandError, match="The queue server cannot be reached"):
        call_command("demo")
