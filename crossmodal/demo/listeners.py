"""The demonstration's three annotators, who are no people and are called so everywhere."""

import random
import uuid

from django.contrib.auth.models import User

from annotation import assignment
from annotation.models import Campaign, Slot, Vote, VoteOrigin
from crossmodal.demo.scripts import Script
from crossmodal.demo.timeline import Timeline
from crossmodal.people import Role, set_role
from crossmodal.user_names import SIMULATED
from pipeline.labels import LABELS, NEUTRAL

LISTENERS = SIMULATED
SLIP_PROBABILITY = 0.10
# Of a slip's two wrong classes the neighbour is likelier: who mishears joy rarely takes it for anger.
FAR_SLIP_PROBABILITY = 0.2
NAMESPACE = uuid.UUID("8c2b7d0e-5a43-4f55-9b1c-0a4d6f3e9a21")


def is_simulated(user: User) -> bool:
    return user.username in LISTENERS


def listeners() -> list[User]:
    """The three accounts, made where they are missing; nobody can sign in with them."""
    users = []
    for name in LISTENERS:
        user, created = User.objects.get_or_create(username=name, defaults={"is_active": False})
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
            set_role(user, Role.ANNOTATOR)
        users.append(user)
    return users


def heard_label(listener: str, place: str, true_label: str) -> str:
    """What a listener votes for a segment: its mood's class, or now and then, always at the same places, a slip."""
    chance = random.Random(f"{listener}\0{place}")  # noqa: S311 - a reproducible draw, not a secret
    if chance.random() >= SLIP_PROBABILITY:
        return true_label
    if true_label == NEUTRAL:
        return chance.choice([label for label in LABELS if label != NEUTRAL])
    far = chance.random() < FAR_SLIP_PROBABILITY
    return next(label for label in LABELS if label != true_label and (label == NEUTRAL) != far)


def vote(campaign: Campaign, timelines: dict[str, tuple[Script, Timeline]]) -> int:
    """Let the three listeners vote until nothing is left for them; returns how many votes were given.

    ``timelines`` has a script and its timeline for each video's submitted address.
    """
    given = 0
    for listener in listeners():
        while (slot := assignment.claim(campaign, listener)) is not None:
            _vote_on(slot, listener, timelines)
            given += 1
    return given


def _vote_on(slot: Slot, listener: User, timelines: dict[str, tuple[Script, Timeline]]) -> Vote:
    segment = slot.task.segment
    assert segment is not None  # noqa: S101 - only tasks with audio are handed out
    script, timeline = timelines[segment.video.submitted_url]
    true_label = timeline.label_between(segment.start_ms, segment.end_ms) or NEUTRAL
    return assignment.submit(
        slot,
        listener,
        heard_label(listener.username, f"{script.name}/{segment.start_ms}", true_label),
        uuid.uuid5(NAMESPACE, f"{slot.task_id}/{listener.pk}"),
        origin=VoteOrigin.SIMULATED,
    )
