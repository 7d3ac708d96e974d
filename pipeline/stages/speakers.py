"""Speakers whose names stand before their words, to marks that are no part of the words.

``Joy Miller:``, ``GRACE:``, ``[SPEAKER_00]:`` and ``(Sam)`` are names where the whole track uses them so: at the
beginning of lines, again and again. "Remember this: we won" is speech, and ``[Laughter]`` a sound.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pipeline.stages.cues import (
    AUTOMATIC,
    CaptionTrack,
    Cue,
    Word,
    has_words,
    is_speaker_mark,
    is_tag,
    voice_mark,
)
from pipeline.stages.speaker_labels import MAX_NAME_WORDS, PARTICLES, Label, label_at
from pipeline.stages.words import ends_sentence

# A name is there as often at least.
MIN_TIMES = 2
# A bracket before words is a name if this share of its kind stands before words; sounds mostly stand alone.
NAME_SHARE = 0.6
# Lower case, or names that are each there once, tell nothing unless so many of the cues begin with one.
LABELLED_SHARE = 0.5
# Names in lower case are there as often at least, all together: "remember: …" is said twice.
MIN_TIMES_LOWER = 4
NEARLY_ALL = 0.9
_NOTES = "♩♪♫♬"


@dataclass
class _Found:
    """What labels a track has at the beginnings of its lines."""

    cues: int = 0
    labelled: int = 0
    times: Counter[str] = field(default_factory=Counter)
    before_words: Counter[str] = field(default_factory=Counter)
    forms: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)

    def add(self, line: str, label: Label | None) -> None:
        self.spoken.update(line[label.end if label else 0 :].split())
        if label is None:
            return
        self.times[label.key] += 1
        self.before_words[label.key] += has_words(line[label.end :]) or label.bracket.endswith(":")
        self.forms.setdefault(label.key, set()).add(label.form)
        self.names.setdefault(label.key, label.name)

    def chosen(self) -> dict[str, str]:
        """Give the names, as first spelt, by their keys."""
        mostly = self.labelled >= LABELLED_SHARE * self.cues
        lower = mostly and self._many_in_lower_case()
        sure = {key for key in self.times if self._is_sure(key, lower=lower)}
        forms = {form for key in sure for form in self.forms[key]}
        if mostly:  # Names may then be spelt in several ways.
            forms |= {(bracket, shape) for bracket, _ in forms for shape in ("capitals", "title")}
        # Where all is written in capitals, a name's words are told by being said nowhere.
        said = set() if any(map(str.islower, self.spoken)) else {word.casefold() for word in self.spoken}
        others = [key for key in self.times if key not in sure and self._is_likely(key, said)]
        if sure:
            sure.update(key for key in others if self.forms[key] & forms)
        elif len(others) > 1 and mostly:
            sure.update(key for key in others if {shape for _, shape in self.forms[key]} & {"capitals", "title"})
        return {key: self.names[key] for key in sure}

    def _many_in_lower_case(self) -> bool:
        lower = sum(self.times[key] for key, forms in self.forms.items() if (":", "lower") in forms)
        # Where names stand before nearly all cues, what has their place is one.
        return lower >= (MIN_TIMES if self.labelled >= NEARLY_ALL * self.cues else MIN_TIMES_LOWER)

    def _stands_before_words(self, key: str) -> bool:
        return self.before_words[key] >= NAME_SHARE * self.times[key]

    def _is_sure(self, key: str, *, lower: bool) -> bool:
        shapes = {shape for _, shape in self.forms[key]}
        brackets = {bracket for bracket, _ in self.forms[key]}
        if not self._stands_before_words(key):
            return False
        if shapes & {"numbered", "role"} or brackets & {"[]:", "():"}:
            return True
        return self.times[key] >= MIN_TIMES and (lower or "lower" not in shapes)

    def _is_likely(self, key: str, said: set[str]) -> bool:
        """Tell whether what is there once can be a name beside others: its words are not said otherwise."""
        shapes = {shape for _, shape in self.forms[key]}
        if not self._stands_before_words(key) or "lower" in shapes:
            return False
        if shapes & {"title", "uncased"}:
            return key not in self.spoken
        # "THE LESSON: …" is said; a role with an article is there more than once.
        return said.isdisjoint(set(key.split()) - PARTICLES) and not (said and key.startswith(("the ", "a ", "an ")))


def with_speakers(track: CaptionTrack) -> CaptionTrack:
    """Replace the names before words by marks that carry them.

    Parameters
    ----------
    track : CaptionTrack
        As given by `read_captions`.

    Returns
    -------
    CaptionTrack
        The same track; where names stood, its texts and words have `cues.voice_mark`.
    """
    if track.kind == AUTOMATIC and any(cue.words for cue in track.cues):
        return _with_speakers_among_words(track)
    found = _Found()
    for cue in track.cues:
        _look(cue.text.split("\n"), found)
    names = found.chosen()
    if not names:
        return track
    return replace(track, cues=tuple(replace(cue, text=_marked(cue.text, names)) for cue in track.cues))


def _look(lines: Sequence[str], found: _Found) -> None:
    """Find the labels in the lines of a cue."""
    found.cues += 1
    found.labelled += label_at(lines[0]) is not None
    for number, line in enumerate(lines):
        for start in _beginnings(line):
            label = label_at(line, start)
            # In the middle of a line only what can hardly be anything else.
            if start and (
                label is None or not (label.shape in {"capitals", "numbered", "role"} and label.bracket != "[]")
            ):
                continue
            # A name may have a line to itself, above its words.
            whole = "\n".join(lines[number:]) if label is not None and label.end == len(line) else line
            found.add(whole, label)


def _marked(text: str, names: dict[str, str]) -> str:
    return "\n".join(_marked_line(line, names) for line in text.split("\n"))


def _marked_line(line: str, names: dict[str, str]) -> str:
    """Replace the name at the beginning of a line, and known names behind the ends of sentences in it."""
    parts: list[str] = []
    position = 0
    for start in _beginnings(line):
        label = label_at(line, start) if start >= position else None
        if label is None or label.key not in names:
            continue
        parts += [line[position:start], f" {voice_mark(names[label.key])} "]
        position = label.end
    return "".join([*parts, line[position:]]).strip() if parts else line


def _beginnings(line: str) -> Iterator[int]:
    """Give where something new can begin in a line: its start, and behind each end of a sentence, tag or mark."""
    yield 0
    sung = False  # Between two notes all is a song.
    for position in range(1, len(line)):
        sung ^= line[position - 1] in _NOTES
        if not sung and line[position - 1].isspace() and not line[position].isspace():
            before = line[max(0, position - 40) : position].rstrip()
            if before.endswith((".", "!", "?", "…", "]", ")", '"', "”", "♪", "--", "—", ">")):
                yield position


def _with_speakers_among_words(track: CaptionTrack) -> CaptionTrack:
    words = [word for cue in track.cues for word in cue.words]
    firsts = _first_words(track.cues)
    begin = [index for index in range(len(words)) if _begins(words, index) or index in firsts]
    found = _Found()
    for index in begin:
        text, _ = _joined(words, index)
        label = label_at(text)
        found.cues += 1
        found.labelled += label is not None
        found.add(text, label)
    names = found.chosen()
    if not names:
        return track
    replaced = _names_to_marks(words, begin, names)
    cues: list[Cue] = []
    index = 0
    for cue in track.cues:
        own = [word for at in range(index, index + len(cue.words)) for word in replaced[at]]
        index += len(cue.words)
        cues.append(replace(cue, words=tuple(own), text=_marked(cue.text, names)))
    return replace(track, cues=tuple(cues))


def _first_words(cues: Sequence[Cue]) -> set[int]:
    """Give the places of the words that begin a cue."""
    firsts: set[int] = set()
    index = 0
    for cue in cues:
        # A cue of one word goes on with the one before.
        if len(cue.words) > 1 or not index:
            firsts.add(index)
        index += len(cue.words)
    return firsts


def _begins(words: Sequence[Word], index: int) -> bool:
    before, word = words[index - 1].text, words[index].text
    if is_speaker_mark(word):
        return True
    if is_speaker_mark(before) or word.startswith(":"):
        return False  # The mark and the bracket are part of the label.
    return is_tag(before) or ends_sentence(before, word)


def _joined(words: Sequence[Word], first: int) -> tuple[str, list[int]]:
    """Give the text from a word on, as far as a name reaches, and where each word ends in it."""
    text, ends = "", []
    for word in words[first : first + 2 * MAX_NAME_WORDS]:
        text += f"{word.text} "
        ends.append(len(text) - 1)
    return text, ends


def _names_to_marks(words: list[Word], begin: list[int], names: dict[str, str]) -> list[list[Word]]:
    """Give for each word what stands in its place."""
    replaced = [[word] for word in words]
    after = 0
    for index in begin:
        if index < after:
            continue
        text, ends = _joined(words, index)
        label = label_at(text)
        if label is None or label.key not in names:
            continue
        start_ms = words[index].start_ms
        for number, end in enumerate(ends):
            if end - len(words[index + number].text) >= label.end:
                break
            rest = text[label.end : end].strip()  # Words may touch the colon.
            kept = [replace(words[index + number], text=rest)] if rest else []
            replaced[index + number] = kept
            after = index + number + 1
        replaced[index].insert(0, Word(voice_mark(names[label.key]), start_ms, start_ms))
    return replaced
