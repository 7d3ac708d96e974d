"""The corpus as files under ``VAR_DIR/demo``: made once from the scripts, made again when these change."""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from django.conf import settings

from crossmodal import scratch
from crossmodal.demo import recording, subtitles
from crossmodal.demo.scripts import Script, all_scripts
from crossmodal.demo.timeline import Timeline, read_timeline, write_timeline

# Part of every fingerprint: raise it when the same script would sound or be captioned differently.
CORPUS_VERSION = "1"
PROCESSES = 2


def folder() -> Path:
    return Path(settings.VAR_DIR) / "demo"


def media_name(script: Script) -> str:
    return f"{script.name}.{script.media}"


def captions_name(script: Script) -> str:
    return f"{script.name}.en.{script.captions_suffix}"


def timeline_name(script: Script) -> str:
    return f"{script.name}.timeline.json"


def fingerprint(script: Script) -> str:
    return hashlib.sha256(f"{CORPUS_VERSION}\0{script.source}".encode()).hexdigest()


def timeline_of(script: Script) -> Timeline | None:
    """The stored timeline, or None where the interview is not recorded yet or was written differently then."""
    try:
        timeline = read_timeline(folder() / timeline_name(script))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return timeline if timeline.fingerprint == fingerprint(script) else None


def is_recorded(script: Script) -> bool:
    files = (folder() / media_name(script), folder() / captions_name(script))
    return timeline_of(script) is not None and all(file.is_file() for file in files)


def record(script: Script, target: Path) -> str:
    """Perform one script and put its three files in place, the timeline last: it says that the others are whole."""
    samples, rate_hz, timeline = recording.perform(script, fingerprint(script))
    with scratch.temporary_folder() as temporary:
        media, captions, times = (temporary / name(script) for name in (media_name, captions_name, timeline_name))
        recording.encode(media, samples, rate_hz, script.media)
        captions.write_text(subtitles.WRITERS[script.captions](timeline), encoding="utf-8")
        write_timeline(times, timeline)
        (target / times.name).unlink(missing_ok=True)
        for file in (media, captions, times):
            shutil.move(file, target / file.name)
    return script.name


def record_all(progress: Callable[[int, int], None]) -> None:
    """Record what is missing, in two processes: espeak-ng and the encoders are plain single-threaded C."""
    scripts = all_scripts()
    missing = [script for script in scripts if not is_recorded(script)]
    done = len(scripts) - len(missing)
    progress(done, len(scripts))
    if not missing:
        return
    folder().mkdir(parents=True, exist_ok=True)
    # Not forked: the process that runs jobs has loaded numeric libraries with threads of their own.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(record, script, folder()) for script in missing]):
            future.result()
            done += 1
            progress(done, len(scripts))
