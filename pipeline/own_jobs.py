"""The project's own jobs by name, and what a record in the queue server must hold to be taken for one of them.

RQ imports and calls whatever a record names: the function, callbacks, a serializer; it sends webhooks, and unpickles
what it is told to. Whoever can write to the queue server could so run code in workers and, through the pages about
the queues, in the web server. `guard` makes every process of this project read records by this module alone: nothing
that is not listed here is imported, called or unpickled, and a record that is not ours counts as missing.
"""

import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

import rq.job
import rq.serializers
from redis import Redis
from redis.exceptions import ResponseError
from rq.exceptions import NoSuchJobError, TimeoutFormatError
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.utils import import_attribute


@dataclass(frozen=True)
class Place:
    """Where a job runs, and how many primary keys it gets."""

    queue: str
    timeout_s: int
    keys: int = 1


JOBS: Final[dict[str, Place]] = {
    "fetch_video": Place("download", 3 * 3600),
    "label_video": Place("compute", 1800),
    "extract_features": Place("compute", 6 * 3600),
    "train": Place("compute", 12 * 3600),
    "predict_video": Place("compute", 6 * 3600, keys=2),
}
MODULE: Final = "pipeline.jobs"
# Jobs whose argument is no key of a row: the reading of a list, and a step of the demonstration.
LIST_JOB: Final = f"{MODULE}.read_list"
DEMONSTRATION_JOB: Final = "crossmodal.demo.jobs.advance_demo"
OTHERS: Final[dict[str, Place]] = {LIST_JOB: Place("download", 240), DEMONSTRATION_JOB: Place("compute", 600)}
PLACES: Final[dict[str, Place]] = {**{f"{MODULE}.{name}": place for name, place in JOBS.items()}, **OTHERS}
# What a refused job is kept as, for the list of failed jobs; it cannot be run.
REFUSED: Final = "refused"

# Ten times the largest field that this project writes.
MAX_FIELD_BYTES: Final = 10_000
# A traceback, with what it says; longer ones are cut where they are shown.
MAX_TRACEBACK_BYTES: Final = 1_000_000
MAX_RETRY_INTERVALS: Final = 10
# Of ours, the longest pause between tries is five minutes, and the longest that a record is kept a week.
MAX_PAUSE_S: Final = 3600
MAX_TRIES_LEFT: Final = 10
MAX_KEPT_S: Final = 7 * 24 * 3600
MAX_KEY: Final = 2**63 - 1
LIST_KEY: Final = re.compile(r"[0-9a-f]{32}")
LIST_JOB_ID: Final = re.compile(r"read_list-([0-9a-f]{32})-[0-9a-f]{8}")
# Fields of a record that are read, those that must be absent or empty, and no others.
READ: Final = (
    *("data", "created_at", "origin", "worker_name", "description", "enqueued_at", "started_at", "ended_at"),
    *("last_heartbeat", "timeout", "result_ttl", "failure_ttl", "status", "number_of_retries", "retries_left"),
    *("retry_intervals", "enqueue_at_front", "enqueue_at_front_on_retry"),
)
NEVER: Final = (
    *("success_callback_name", "failure_callback_name", "stopped_callback_name", "webhooks"),
    *("dependency_id", "dependency_ids", "repeats_left", "repeat_intervals", "group_id"),
)


class ForeignJobError(NoSuchJobError):
    """A record of the queue server that is no job of this project; the message says why."""


def guard() -> None:
    """Have RQ read records, import functions and read values by the rules of this module, in this whole process.

    RQ and its pages take the class `Job` and the pickle serializer from its own modules, whatever else is asked for,
    so that a class of our own beside it would not be used everywhere.
    """
    Job.fetch = classmethod(_fetch)  # type: ignore[method-assign, assignment]
    Job.fetch_many = classmethod(_fetch_many)  # type: ignore[method-assign, assignment]
    Job.refresh = _refresh  # type: ignore[method-assign]
    Job.restore = _restore  # type: ignore[method-assign, assignment]
    rq.job.import_attribute = _import_own  # type: ignore[attr-defined]
    Result.restore = classmethod(_restore_result)  # type: ignore[method-assign, assignment]
    JSONSerializer.loads = staticmethod(_loads)  # type: ignore[method-assign, assignment]
    for name in ("DefaultSerializer", "PickleSerializer"):
        setattr(rq.serializers, name, JSONSerializer)
    rq.serializers.SERIALIZER_ALIASES["pickle"] = cast(Any, JSONSerializer)


def call_of(job: Job) -> tuple[str, tuple[int, ...]]:
    """Return name and keys of a job that works on rows; an empty name for any other."""
    name = (job.func_name or "").removeprefix(f"{MODULE}.")
    return (name, tuple(job.args)) if name in JOBS else ("", ())


def check_runnable(job: Job) -> None:
    """ForeignJobError for a job that may be looked at only."""
    if job.func_name not in PLACES:
        raise ForeignJobError("it was refused before")


# ---------------------------------------------------------------- instead of RQ's own

_restore_checked: Callable[[Job, Any], Any] = Job.restore
_restore_result_checked: Callable[..., Result] = Result.restore
_loads_any_depth: Callable[..., Any] = JSONSerializer.loads


def _loads(packed: bytes, *args: Any, **kwargs: Any) -> Any:
    try:
        return _loads_any_depth(packed, *args, **kwargs)
    except RecursionError as error:
        raise ValueError("This JSON is nested too deeply.") from error


def _fetch(cls: type[Job], id: str, connection: Redis | None = None, serializer: Any = None) -> Job:
    try:
        job = cls(rq.job.parse_job_id(id), connection=connection, serializer=JSONSerializer)
    except (TypeError, ValueError) as error:
        raise ForeignJobError("its id is none that RQ makes") from error
    job.refresh()  # type: ignore[no-untyped-call]
    return job


def _fetch_many(
    cls: type[Job], job_ids: Iterable[str], connection: Redis, serializer: Any = None
) -> "list[Job | None]":
    return [_fetch_or_none(cls, job_id, connection) for job_id in job_ids]


def _fetch_or_none(cls: type[Job], job_id: str, connection: Redis) -> Job | None:
    try:
        return cls.fetch(job_id, connection=connection)
    except NoSuchJobError:
        return None


def _refresh(job: Job) -> None:
    """Read the fields that count, each only once it is known to be small."""
    fields = [*READ, *NEVER]
    try:
        with job.connection.pipeline(transaction=False) as pipeline:
            for field in fields:
                pipeline.hstrlen(job.key, field)
            sizes = pipeline.execute()
        if not sizes[0]:
            raise NoSuchJobError(f"No such job: {job.key}")
        if too_large := [field for field, size in zip(fields, sizes, strict=True) if size > MAX_FIELD_BYTES]:
            raise ForeignJobError(f"its field {too_large[0]} is larger than any of ours")
        values = job.connection.hmget(job.key, fields)
    except ResponseError as error:
        raise ForeignJobError("its record is of another type") from error
    job.restore({field: value for field, value in zip(fields, values, strict=True) if value is not None})


def _restore(job: Job, raw_data: Any) -> None:
    try:
        clean = _checked(job.id, {_text(name): value for name, value in raw_data.items()})
        _restore_checked(job, clean)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TimeoutFormatError,
        TypeError,
        ValueError,
    ) as e:
        raise ForeignJobError("its record cannot be read") from e
    job.serializer = cast(Any, JSONSerializer)


def _restore_result(
    cls: type[Result], job_id: str, result_id: str, payload: dict[Any, Any], connection: Redis, serializer: Any = None
) -> Result:
    """A result as the pages show it, however much its packed traceback would unpack to."""
    fields = {_text(name): value for name, value in payload.items()}
    if traceback := fields.get("exc_string"):
        text = zlib.decompressobj().decompress(b64decode(traceback), MAX_TRACEBACK_BYTES)
        fields["exc_string"] = b64encode(zlib.compress(text.decode(errors="replace").encode()))
    return _restore_result_checked(job_id, result_id, fields, connection=connection, serializer=JSONSerializer)


def _checked(job_id: str, raw: dict[str, Any]) -> dict[str, Any]:
    """The fields that count, as this project would have written them; ForeignJobError."""
    if "data" not in raw:
        raise NoSuchJobError(f"No such job: {job_id}")
    if used := [field for field in NEVER if raw.get(field)]:
        raise ForeignJobError(f"it has a {used[0]}, which no job of ours has")
    clean = {name: value for name, value in raw.items() if name in READ}
    function, arguments = _call_in(clean["data"])
    clean["description"] = _description(clean.get("description", job_id))
    if function == REFUSED:
        clean["data"] = packed(REFUSED, [])
        return clean
    place = PLACES.get(function)
    if place is None:
        raise ForeignJobError(f"{shown(function)} is none of this project's jobs")
    if not _fits(function, arguments, job_id):
        raise ForeignJobError(f"{shown(function)} does not get such arguments, or is not called {job_id}")
    if _text(clean.get("origin", "")) != place.queue:
        raise ForeignJobError(f"{shown(function)} does not belong to its queue")
    if not clean.get("status"):
        raise ForeignJobError("it has no status")
    if "timeout" in clean and not 1 <= int(clean["timeout"]) <= place.timeout_s:
        raise ForeignJobError("it may run for longer than a job of ours")
    clean["data"] = packed(function, arguments)
    return {**clean, "timeout": str(place.timeout_s).encode(), **_bounded(clean)}


def _bounded(raw: dict[str, Any]) -> dict[str, bytes]:
    """The numbers of a record within what this project writes, so that none ends the worker that uses them."""
    bounded = {}
    for name, longest in (("result_ttl", MAX_KEPT_S), ("failure_ttl", MAX_KEPT_S), ("retries_left", MAX_TRIES_LEFT)):
        if raw.get(name):
            bounded[name] = str(min(max(0, int(raw[name])), longest)).encode()
    if raw.get("retry_intervals"):
        intervals = json.loads(raw["retry_intervals"])
        if not isinstance(intervals, list) or not 1 <= len(intervals) <= MAX_RETRY_INTERVALS:
            raise ForeignJobError("its pauses between tries are none of ours")
        pauses = [min(abs(int(interval)), MAX_PAUSE_S) for interval in intervals]
        bounded["retry_intervals"] = json.dumps(pauses).encode()
    return bounded


def _call_in(data: Any) -> tuple[str, list[Any]]:
    """Function and arguments in the packed JSON of a record."""
    unpacker = zlib.decompressobj()
    try:
        packed = unpacker.decompress(data, MAX_FIELD_BYTES)
        if not unpacker.eof or unpacker.unused_data:
            raise ForeignJobError("its call is larger than any of ours")
        call = json.loads(packed)
    except (RecursionError, ValueError, TypeError, zlib.error) as error:
        raise ForeignJobError("its call cannot be read") from error
    if not isinstance(call, list) or len(call) != 4 or not isinstance(call[0], str) or not isinstance(call[2], list):
        raise ForeignJobError("its call cannot be read")
    if call[1] is not None or call[3] != {}:
        raise ForeignJobError(f"{shown(call[0])} is called in a way of its own")
    return call[0], call[2]


def _fits(function: str, arguments: list[Any], job_id: str) -> bool:
    """Whether the arguments are of the right kind and number, and the id the only one that such a job has."""
    if function == LIST_JOB:
        named = LIST_JOB_ID.fullmatch(job_id)
        return named is not None and arguments == [named[1]]
    place = PLACES[function]
    if len(arguments) != place.keys or not all(type(key) is int and 0 <= key <= MAX_KEY for key in arguments):
        return False
    return job_id == "-".join([function.rpartition(".")[2], *map(str, arguments)])


def _import_own(name: str) -> Callable[..., Any]:
    if name not in PLACES:
        raise ForeignJobError(f"{shown(name)} is none of this project's jobs")
    return import_attribute(name)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _description(value: Any) -> str:
    return shown(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def packed(function: str, arguments: list[Any]) -> bytes:
    """A call as a record holds it."""
    return zlib.compress(json.dumps([function, None, arguments, {}]).encode())


def shown(text: str) -> str:
    """What others wrote, fit for one line of a log."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:200])
