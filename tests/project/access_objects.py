"""One of everything that an address can name, and people of every role."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.utils import timezone
from redis import Redis

from annotation import truth
from annotation.models import Campaign, ImportedListener, Skip, Slot
from crossmodal.demo.listeners import listeners
from crossmodal.models import Demonstration, KnownAddress, SignInBudget
from pipeline.models import DownloadSite
from pipeline.queues import enqueue, get_queue
from pipeline.workers import PipelineWorker
from tests.annotation.conftest import flac
from tests.factories import Factory


def make_person(factory: Factory, role: str) -> User | None:
    match role:
        case "anonymous":
            return None
        case "simulated listener, with a session":
            return listeners()[0]
        case "superuser":
            return User.objects.create_superuser("root")
        case "marked as staff, no role":
            person = factory.make_user("staff", role="")
            User.objects.filter(pk=person.pk).update(is_staff=True)
            return person
        case "signed in, no role":
            return factory.make_user("nobody", role="")
        case "admin":
            return factory.make_user("ada", role="admin")
        case _:
            return factory.make_user("ann", role="annotator")


def make_objects(factory: Factory, redis: Redis, person: User) -> dict[str, str]:
    """One of everything, by the names that the table uses; slots are the person's and another's."""
    other, admin = factory.make_user("other"), factory.make_user("judge", role="admin")
    video = factory.make_video(duration_s=20.0)
    video.audio.save("sound.flac", ContentFile(flac(20.0)))
    segments = [factory.make_segment(video) for _ in range(6)]
    run = factory.make_run()
    open_, closed = factory.make_campaign(), factory.make_campaign()
    tasks = [factory.make_task(open_, segment) for segment in segments[:4]]
    late = factory.make_task(closed, segments[4])
    vote = factory.make_vote(tasks[2], "positive", person)
    for label in ("positive", "neutral", "negative"):
        factory.make_vote(tasks[3], label)
    truth.settle(tasks[3])
    truth.adjudicate(tasks[3], admin, "neutral")
    soon = timezone.now() + timedelta(minutes=10)
    own, others, own_late = (
        Slot.objects.create(task=task, slot=1, annotator=who, lease_ends=soon)
        for task, who in ((tasks[0], person), (tasks[1], other), (late, person))
    )
    Campaign.objects.filter(pk=closed.pk).update(is_open=False)
    enqueue("label_video", video.pk)
    worker = PipelineWorker([get_queue("compute")], connection=redis)
    worker.register_birth()
    found: dict[str, Any] = {
        "person": other,
        "group": Group.objects.get(name="annotator"),
        "sign-in budget": SignInBudget.objects.create(slot=1, whole_at_ms=1),
        "known address": KnownAddress.objects.create(key=1, until_ms=1),
        "demonstration": Demonstration.objects.create(),
        "imported listener": ImportedListener.objects.create(
            user=User.objects.create_user("imported:1/Ana", is_active=False), campaign=closed, name="Ana"
        ),
        "site": DownloadSite.objects.create(name="example.org"),
        "video": video,
        "segment": segments[0],
        "text label": segments[0].text_labels.first(),
        "run": run,
        "prediction": factory.make_prediction(run, segments[0]),
        "campaign": open_,
        "closed campaign": closed,
        "task": tasks[3],
        "own slot": own,
        "slot of another": others,
        "closed slot": own_late,
        "voted slot": tasks[2].slots.get(),
        "skip": Skip.objects.create(task=tasks[1], annotator=person),
        "vote": vote,
        "adjudication": tasks[3].adjudication,
    }
    pks = {name: str(row.pk) for name, row in found.items()}
    return pks | {"queue": "0", "job": f"label_video-{video.pk}", "worker": worker.key, "nothing": "none"}
