"""Records that a neighbour could write into the queue server, straight into it and past all that RQ would check."""

import json
import pickle
import zlib
from pathlib import Path
from typing import Any

from rq.utils import now, utcformat


class Opened:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def call(function: str, *arguments: Any, instance: Any = None, **named: Any) -> bytes:
    return zlib.compress(json.dumps([function, instance, list(arguments), named]).encode())


def record(data: bytes, queue: str = "compute", **fields: Any) -> dict[str, Any]:
    moment = utcformat(now())
    return {"data": data, "origin": queue, "status": "queued", "created_at": moment, "enqueued_at": moment, **fields}


def foreign_records(proof: Path) -> dict[str, dict[str, Any]]:
    """By id; whatever of them is run, imported or unpickled makes the file `proof`."""
    touch = f"touch {proof}"
    known = call("pipeline.jobs.label_video", 7)
    return {
        "os-system": record(call("os.system", touch)),
        "check_output": record(call("subprocess.check_output", ["touch", str(proof)])),
        "eval": record(call("builtins.eval", f"open({str(proof)!r}, 'w')")),
        "through-a-module": record(call("pipeline.jobs.partial.func.os.system", touch)),
        "method": record(call("pathlib.Path.touch", str(proof))),
        "instance": record(call("touch", instance=str(proof))),
        "label_video-20": record(call("pipeline.jobs.label_video", 20, exist_ok=True)),
        "label_video-7": record(known, success_callback_name="os.system"),
        "label_video-8": record(call("pipeline.jobs.label_video", 8), failure_callback_name="os.system"),
        "label_video-9": record(call("pipeline.jobs.label_video", 9), stopped_callback_name="os.system"),
        "another-name": record(known),
        "label_video-a": record(call("pipeline.jobs.label_video", "a")),
        "label_video-1-2": record(call("pipeline.jobs.label_video", 1, 2)),
        "label_video-True": record(call("pipeline.jobs.label_video", True)),
        "label_video--1": record(call("pipeline.jobs.label_video", -1)),
        "read_list-x": record(call("pipeline.jobs.read_list", "x" * 32), queue="download"),
        "label_video-10": record(call("pipeline.jobs.label_video", 10), timeout="-1"),
        "label_video-11": record(call("pipeline.jobs.label_video", 11), timeout="86400"),
        "label_video-12": record(call("pipeline.jobs.label_video", 12), repeats_left="5", repeat_intervals="[1]"),
        "label_video-13": record(call("pipeline.jobs.label_video", 13), dependency_ids='["x"]'),
        "label_video-14": record(
            call("pipeline.jobs.label_video", 14),
            webhooks='[{"url": "http://127.0.0.1:9/", "job_status": "failed"}]',
        ),
        "label_video-15": record(call("pipeline.jobs.label_video", 15), status="dancing"),
        "label_video-16": record(call("pipeline.jobs.label_video", 16), created_at="yesterday"),
        "label_video-17": record(call("pipeline.jobs.label_video", 17), retries_left="many"),
        "label_video-18": record(call("pipeline.jobs.label_video", 18), worker_name=b"\xff"),
        "pickle": record(pickle.dumps(("os.system", None, (touch,), {}))),
        "packed-pickle": record(zlib.compress(pickle.dumps(Opened(proof)))),
        "bomb": record(zlib.compress(b"[" + b" " * 50_000_000)),
        "deep": record(zlib.compress(b"[" * 9_000)),
        "large": record(b"x" * 1_000_000),
        "no-json": record(zlib.compress(b"{")),
        "no-list": record(zlib.compress(b"7")),
        "no-name": record(zlib.compress(b"[null, null, [], {}]")),
        "fetch_video-300": record(call("pipeline.jobs.fetch_video", 300)),  # of the other queue
    }


def put(redis: Any, job_id: str, fields: dict[str, Any], queue: str = "compute") -> None:
    redis.hset(f"rq:job:{job_id}", mapping=fields)
    redis.rpush(f"rq:queue:{queue}", job_id)
    redis.sadd("rq:queues", f"rq:queue:{queue}")
