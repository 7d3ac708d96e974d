"""Sentences on what was lost or changed while a recording was decoded."""

from collections.abc import Sequence

from pipeline.stages.announced import Announced
from pipeline.stages.recording_time import Change
from pipeline.stages.wav_header import WavHeader

# Holes and overlaps that last as long are named one by one, up to so many; the others are summed up.
NAMED_FROM_S = 0.1
NAMED_AT_MOST = 5
# With less than a tenth of what a file announces, hardly any of its captions has sound.
MIN_DECODED_SHARE = 0.1
# A fragmented MP4 file tells the length of the fragments that it holds; the last one is two seconds as a rule.
UNCERTAIN_S = 2.0
AGAIN = "Fetch or upload it again."


def clock(seconds: float) -> str:
    """Write seconds as minutes:seconds, with hours where there are any."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def length(seconds: float) -> str:
    """Write how long something lasts: 0:12, and 0.4 s below a second."""
    return clock(round(seconds)) if seconds >= 1 else f"{seconds:.2g} s"


def change_notes(changes: Sequence[Change]) -> tuple[str, ...]:
    """Tell what was changed to let everything stand at its time.

    Parameters
    ----------
    changes : sequence of Change
        In the order of time.
    """
    notes = [
        *_of_kind(
            [change for change in changes if change.kind == "hole"],
            "{length} of sound are missing {where}; silence stands in their place.",
        ),
        *_of_kind(
            [change for change in changes if change.kind == "overlap"],
            "{length} of sound {where} have the same times as the sound before them; they were left out.",
        ),
    ]
    for change in [change for change in changes if change.kind == "clock"][:NAMED_AT_MOST]:
        notes.append(
            f"The file's time stamps jump by {length(change.length_s)} at {clock(change.start_s)}; what follows was "
            "placed right behind the sound before. Captions may be early or late from there on."
        )
    if stamps := [change for change in changes if change.kind == "stamps"]:
        notes.append(
            f"The file's time stamps make no sense from {clock(stamps[0].start_s)} on; its sound was placed without "
            "holes. Captions may be early or late from there on."
        )
    return tuple(notes)


def _of_kind(changes: list[Change], sentence: str) -> list[str]:
    named = [change for change in changes if change.length_s >= NAMED_FROM_S]
    if len(named) > NAMED_AT_MOST:
        named = []
    notes = [
        sentence.format(
            length=length(change.length_s),
            where=f"between {clock(change.start_s)} and {clock(change.start_s + change.length_s)}"
            if change.length_s >= 1
            else f"at {clock(change.start_s)}",
        )
        for change in named
    ]
    rest = [change for change in changes if change not in named]
    total_s = sum(change.length_s for change in rest)
    if rest:
        first, last = clock(rest[0].start_s), clock(rest[-1].start_s + rest[-1].length_s)
        where = f"at {first}" if len(rest) == 1 else f"at {len(rest)} places between {first} and {last}"
        notes.append(sentence.format(length=length(total_s), where=where))
    return notes


def suspect_note(packets: int) -> tuple[str, ...]:
    """Tell of packets that were decoded although they are marked as damaged."""
    if not packets:
        return ()
    count = "1 packet of sound is" if packets == 1 else f"{packets} packets of sound are"
    return (f"{count} marked as damaged; what is heard there may be wrong.",)


def cut_off_note(announced: Announced, decoded_s: float) -> tuple[str, ...]:
    """Tell that a recording ends before it should."""
    missing_s, got = announced.missing_s(decoded_s), clock(round(decoded_s, 1))
    if announced.cut_off and (announced.duration_s is None or 0 < missing_s < UNCERTAIN_S):
        return (f"The file ends in the middle of its data, after {got}; it was probably cut off. {AGAIN}",)
    if not missing_s:
        return ()
    said = clock(round(announced.duration_s or 0, 1))
    if said == got:
        said, got = f"{announced.duration_s:.1f} s", f"{decoded_s:.1f} s"
    return (f"The file says {said}, only {got} could be decoded; it was probably cut off. {AGAIN}",)


def beyond_note(header: WavHeader) -> tuple[str, ...]:
    """Tell that a WAV file goes on behind the sound that its header tells."""
    if header.duration_s is None or not header.beyond_s:
        return ()
    told, more = clock(header.duration_s), length(header.beyond_s)
    if header.is_sound:
        return (f"The file's header tells {told} of sound, but {more} more follow; they were taken as well.",)
    return (
        f"The file's header tells {told} of sound, but data for {more} more follow behind it; they were left out. If "
        "they are sound, write the file again with a right header.",
    )


SILENT_NOTE = "The recording is silent, or so quiet that nothing of it is left; give a louder one."


def other_track_note(silent: int, taken: int) -> str:
    """Tell that another track than the usual one was taken, by their numbers from 0."""
    return f"Track {silent + 1} of the sound is silent; track {taken + 1} was taken instead."
