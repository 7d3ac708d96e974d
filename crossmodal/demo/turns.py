"""How the demonstration goes on by itself: one queued job at a time, each of which queues the next.

Nothing waits inside a worker. The row's ``turn`` says which job may go on, so that a job queued twice, or overtaken by
an impatient page, stands back.
"""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from redis.exceptions import RedisError

from crossmodal.models import Demonstration
from pipeline.own_jobs import DEMONSTRATION_JOB, OTHERS
from pipeline.queues import QueueUnavailable, get_queue

PAUSE = timedelta(seconds=2)
# A job of the demonstration records a quarter of an hour of speech or casts some hundred votes, nothing longer.
QUEUE, TIMEOUT_S = OTHERS[DEMONSTRATION_JOB].queue, OTHERS[DEMONSTRATION_JOB].timeout_s
# So long without a sign of life means that the queued job is lost (the queue server was restarted, say).
LOST_AFTER = timedelta(seconds=20)


def take(turn: int) -> bool:
    """Whether the job of this turn may go on."""
    return bool(Demonstration.objects.filter(turn=turn).update(turned_at=timezone.now()))


def pass_on(turn: int) -> None:
    """Queue the job after this one, unless somebody else did."""
    if Demonstration.objects.filter(turn=turn).update(turn=turn + 1, turned_at=timezone.now()):
        _enqueue(turn + 1, PAUSE)


def nudge(*, quiet_for: timedelta = timedelta(0)) -> None:
    """Have the next job run now, where no process is at work and none was for so long. Raises QueueUnavailable."""
    now = timezone.now()
    idle = Demonstration.objects.filter(finished_at=None, error_message="", held_until__lte=now)
    if idle.filter(turned_at__lte=now - quiet_for).update(turn=F("turn") + 1, turned_at=now):
        _enqueue(Demonstration.objects.values_list("turn", flat=True).get(), timedelta(0))


def resume() -> None:
    """Go on after a start of the whole installation: whoever held a step before is gone. Raises QueueUnavailable."""
    Demonstration.objects.filter(held_until__gt=timezone.now()).update(held_until=timezone.now())
    nudge()


def _enqueue(turn: int, delay: timedelta) -> None:
    queue = get_queue(QUEUE)
    options = {"job_id": f"advance_demo-{turn}", "job_timeout": TIMEOUT_S, "result_ttl": 0}
    try:
        if delay:
            queue.enqueue_in(delay, DEMONSTRATION_JOB, turn, **options)
        else:
            queue.enqueue(DEMONSTRATION_JOB, turn, **options)
    except RedisError as error:
        raise QueueUnavailable from error
