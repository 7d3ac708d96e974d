"""Votes to a verdict."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.labels import LABELS

OPEN = "open"
MAJORITY = "majority"
NO_MAJORITY = "no-majority"

# Method §7: three different people hear each sampled segment.
VOTES_NEEDED = 3


@dataclass(frozen=True)
class Verdict:
    """What the votes on one segment amount to.

    Attributes
    ----------
    state : str
        ``"open"`` while votes are missing, ``"majority"`` or ``"no-majority"`` once all are there.
    label : str
        The majority's class; empty in the other two states.
    """

    state: str
    label: str


def decide(votes: Sequence[str], needed: int = VOTES_NEEDED) -> Verdict:
    """Verdict of the standing votes on one segment.

    A class wins with strictly more than half of the votes, and only when all needed votes are there: two equal
    votes of three would already decide, but the third is part of the record of how far people agree.

    Parameters
    ----------
    votes : sequence of str
        Labels of the votes that stand, in any order.
    needed : int
        Votes that make a segment complete.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If `needed` is less than 1 or a vote is not one of the three classes.

    References
    ----------
    Method §7 (majority of three; three different votes are no majority, never silently neutral).
    """
    if needed < 1:
        raise ValueError(f"A segment needs at least one vote, not {needed}.")
    for vote in votes:
        if vote not in LABELS:
            raise ValueError(f"{vote!r} is not a class; a vote is one of {', '.join(LABELS)}.")
    if len(votes) < needed:
        return Verdict(OPEN, "")
    label, count = Counter(votes).most_common(1)[0]
    if 2 * count > len(votes):
        return Verdict(MAJORITY, label)
    return Verdict(NO_MAJORITY, "")
