"""How the work on a row ended before it was done, and how often that may happen at one stage."""

from enum import Enum, auto
from typing import Any, Protocol

# A recording that kills its worker three times (for want of memory, mostly) will do so again.
MAX_DEATHS = 3
# Of ends that nobody can explain. A machine may go down several times a day; a recording that takes the whole machine
# down with it, each time, must come to an end too.
MAX_INTERRUPTIONS = 10
TOO_LONG = "This took longer than is allowed for it, and was stopped."


class End(Enum):
    """Why a job's process is gone."""

    STOPPED = auto()  # its worker was asked to stop
    DIED = auto()  # it died, or its worker, while the machine and other workers lived on
    OVERDUE = auto()  # its worker ended it, since it did not end in its time by itself
    UNKNOWN = auto()  # machine, queue server or all workers went down at once, so nobody is left who could tell


class Counted(Protocol):
    """A row that counts how often the work on its present stage ended early."""

    deaths: int
    interruptions: int


def counts(row: Counted, end: End) -> dict[str, int]:
    """Return the columns of the row with one more end of that kind."""
    return {
        "deaths": row.deaths + (end == End.DIED),
        "interruptions": row.interruptions + (end == End.UNKNOWN),
    }


def nothing_counted() -> dict[str, int]:
    """Return the columns of a row that begins a stage, or begins it anew because a person wants it."""
    return {"deaths": 0, "interruptions": 0}


def reason_to_give_up(columns: dict[str, Any], end: End) -> str:
    """Return why the row is not tried again, or nothing where it is."""
    if end == End.OVERDUE:
        return TOO_LONG
    if columns["deaths"] >= MAX_DEATHS:
        return (
            f"The worker died {columns['deaths']} times at this point; most often a machine has too little memory. "
            "Free some, or add a worker on a larger machine, and retry."
        )
    if columns["interruptions"] >= MAX_INTERRUPTIONS:
        return (
            f"The machine or its queue server went down {columns['interruptions']} times at this point; if that is not "
            "for another reason, it has too little memory for this. Free some, and retry."
        )
    return ""


def told(columns: dict[str, Any], end: End) -> str:
    """Return what the row says while it waits to be tried again."""
    if end == End.DIED:
        times = "once" if columns["deaths"] == 1 else f"{columns['deaths']} times"
        return f"The worker died {times} at this point; this is tried again."
    return "The worker stopped in the middle; this is tried again."
