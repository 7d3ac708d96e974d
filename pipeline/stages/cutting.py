"""Words to utterances: where to cut.

What is cut are "atoms": the words of automatic captions, which have times of their own; in people's captions whole
cues, because only a cue's own times are exact.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from pipeline.stages.cues import (
    AUTOMATIC,
    CaptionTrack,
    Cue,
    Word,
    caption_tokens,
    is_speaker_mark,
    is_tag,
    name_of_mark,
    spread,
)
from pipeline.stages.words import ends_sentence

# A track is punctuated if at least one of so many words ends a sentence. Sentences of speech have some 15 words.
WORDS_PER_SENTENCE_END = 50
# Inside a sentence only a silence of so many milliseconds cuts: shorter ones are hesitation.
SENTENCE_PAUSE_MS = 3_000
# Where a long utterance must be cut, a comma is worth a silence of so many milliseconds …
COMMA_MS = 250
# … and every millisecond off the even division costs this much of it.
UNEVENNESS_COST = 0.1

_SPEAKER_MARK = ">>"
# Subtitlers' dash before the words of each of two speakers; without a space only where every line has one.
_DASH = re.compile(r"[-–—―]\s*(?=\S)")
_SPACED_DASH = re.compile(r"[-–]\s+(?=\S)")


@dataclass(frozen=True)
class CutRules:
    """Where to cut, in milliseconds.

    Parameters
    ----------
    min_ms, max_ms : int
        Shortest and longest utterance aimed at.
    pause_ms : int
        Least silence that ends an utterance where no punctuation tells.
    """

    min_ms: int
    max_ms: int
    pause_ms: int


def cut_track(track: CaptionTrack, rules: CutRules) -> Iterator[Word]:
    """Cut a track into utterances and tags, each word in exactly one of them.

    Cuts fall at sentence ends; in a track without punctuation at pauses, and at the borders of people's cues. What is
    then too long is cut at silences and commas; what is too short is joined with its neighbour unless a pause lies
    between. Nothing spans a speaker mark or a tag, except a mark that names who speaks already.

    Parameters
    ----------
    track : CaptionTrack
        Cues in any order; names before words are marks, see `speakers.with_speakers`.
    rules : CutRules
        Lengths and pauses.

    Yields
    ------
    Word
        An utterance's or a tag's text, span of time and speaker.
    """
    atoms = list(_atoms(track, rules))
    ends = sum(ends_sentence(word) for atom in atoms for word in atom.text.split())
    punctuated = ends * WORDS_PER_SENTENCE_END >= sum(len(atom.text.split()) for atom in atoms)
    whole_cues = track.kind != AUTOMATIC
    run: list[Word] = []
    speaker = track.voice
    for atom in [*atoms, _boundary(0)]:
        if not (is_tag(atom.text) or is_speaker_mark(atom.text) or _is_boundary(atom)):
            run.append(atom)
            continue
        if whole_cues and not punctuated:
            phrases: Iterable[list[Word]] = ([cue] for cue in run)
        else:
            phrases = _phrases(run, pause_ms=SENTENCE_PAUSE_MS if punctuated else rules.pause_ms)
        parts = (part for phrase in phrases for part in _parts(phrase, rules))
        for utterance in map(_joined, _long_enough(parts, rules)):
            yield replace(utterance, speaker=speaker)
        run = []
        if is_tag(atom.text):
            yield _joined([atom])
        elif is_speaker_mark(atom.text):
            speaker = name_of_mark(atom.text)


def _boundary(time_ms: int) -> Word:
    """What divides what is said before and after it, and is nothing itself."""
    return Word("", time_ms, time_ms)


def _is_boundary(atom: Word) -> bool:
    return not atom.text


def _atoms(track: CaptionTrack, rules: CutRules) -> Iterator[Word]:
    """Give what is cut, without the marks that name who speaks already."""
    speaker = track.voice
    for cue in sorted(track.cues, key=lambda cue: cue.start_ms):
        if track.kind == AUTOMATIC:
            words = list(cue.words)
            told, speaker = _changes([word.text for word in words], speaker)
            yield from (words[index] for index in told)
        else:
            tokens = caption_tokens(_with_speaker_marks(cue.text))
            told, speaker = _changes(tokens, speaker)
            yield from _atoms_of_cue(cue, [tokens[index] for index in told], rules)


def _changes(tokens: list[str], speaker: str) -> tuple[list[int], str]:
    """Give the places of all tokens but marks that name who speaks already, and who speaks in the end."""
    told: list[int] = []
    for index, token in enumerate(tokens):
        if is_speaker_mark(token):
            name = name_of_mark(token)
            if name and name == speaker:
                continue
            speaker = name
        told.append(index)
    return told, speaker


def _atoms_of_cue(cue: Cue, tokens: list[str], rules: CutRules) -> Iterator[Word]:
    """Give what a cue without word times holds: one atom, or several if speakers or tags divide it.

    Tags at either end are dropped and the cue's own times kept. Where a tag or another speaker stands in the middle, or
    the cue is too long, times are interpolated by characters.
    """
    said = [index for index, token in enumerate(tokens) if not (is_tag(token) or is_speaker_mark(token))]
    if not said:
        yield from (Word(token, cue.start_ms, cue.start_ms) for token in tokens if is_speaker_mark(token))
        if tags := " ".join(token for token in tokens if is_tag(token)):
            yield Word(tags, cue.start_ms, cue.end_ms)
        return
    # What stood in front of the words, be it a tag or a mark, divides them from what was said before.
    yield from _divisions(tokens[: said[0]], cue.start_ms)
    group: list[Word] = []
    for word in spread(tokens[said[0] : said[-1] + 1], cue.start_ms, cue.end_ms):
        if is_tag(word.text) or is_speaker_mark(word.text):
            yield from _grouped(group, rules)
            yield word
            group = []
        else:
            group.append(word)
    yield from _grouped(group, rules)
    yield from _divisions(tokens[said[-1] + 1 :], cue.end_ms)


def _divisions(tokens: list[str], time_ms: int) -> Iterator[Word]:
    """Give the marks among tags and marks, and a boundary for the tags."""
    if any(map(is_tag, tokens)):
        yield _boundary(time_ms)
    yield from (Word(token, time_ms, time_ms) for token in tokens if is_speaker_mark(token))


def _with_speaker_marks(text: str) -> str:
    lines = text.split("\n")
    # A name has taken the place of its dash.
    each = len(lines) > 1 and all(_DASH.match(line) or is_speaker_mark(line[:2]) for line in lines)
    dash = _DASH if each else _SPACED_DASH
    return "\n".join(
        f"{_SPEAKER_MARK} {line[match.end() :]}" if (match := dash.match(line)) else line for line in lines
    )


def _grouped(words: list[Word], rules: CutRules) -> Iterator[Word]:
    """Join the words of a cue to one atom, or to a few if they take too long."""
    if words and _length_ms(words) <= rules.max_ms:
        yield _joined(words)
    elif words:
        for sentence in _phrases(words, pause_ms=rules.max_ms):
            yield from map(_joined, _parts(sentence, rules))


def _joined(words: Iterable[Word]) -> Word:
    words = list(words)
    start_ms = words[0].start_ms
    # Damaged word times can leave a word no time at all; an utterance has some.
    end_ms = max(start_ms + 1, *(word.end_ms for word in words))
    return Word(" ".join(word.text for word in words), start_ms, end_ms)


def _length_ms(words: list[Word]) -> int:
    return words[-1].end_ms - words[0].start_ms


def _phrases(words: list[Word], *, pause_ms: int) -> Iterator[list[Word]]:
    """Cut at sentence ends and at silences of at least `pause_ms`."""
    phrase = words[:1]
    for word, following in pairwise(words):
        if following.start_ms - word.end_ms >= pause_ms or ends_sentence(word.text, following.text):
            yield phrase
            phrase = []
        phrase.append(following)
    if phrase:
        yield phrase


def _long_enough(phrases: Iterable[list[Word]], rules: CutRules) -> list[list[Word]]:
    """Join phrases that are too short with what is next to them."""
    utterances: list[list[Word]] = []
    for phrase in phrases:
        before = utterances[-1] if utterances else None
        if (
            before is not None
            and phrase[0].start_ms - before[-1].end_ms < rules.pause_ms
            and min(_length_ms(before), _length_ms(phrase)) < rules.min_ms
            and phrase[-1].end_ms - before[0].start_ms <= rules.max_ms
        ):
            before += phrase
        else:
            utterances.append(phrase)
    return utterances


def _parts(words: list[Word], rules: CutRules) -> Iterator[list[Word]]:
    """Cut what is too long into parts, at silences and commas and as evenly as these allow."""
    min_ms, max_ms = rules.min_ms, rules.max_ms
    first = 0
    end_ms = words[-1].end_ms
    while end_ms - words[first].start_ms > max_ms:
        start_ms = words[first].start_ms
        left_ms = end_ms - start_ms
        even_ms = left_ms / math.ceil(left_ms / max_ms)
        best, best_score = first, -math.inf
        for index in range(first, len(words) - 1):
            length_ms = words[index].end_ms - start_ms
            if length_ms > max_ms:
                break
            score = words[index + 1].start_ms - words[index].end_ms - UNEVENNESS_COST * abs(length_ms - even_ms)
            if words[index].text.endswith((",", ";", ":", "–", "—")):
                score += COMMA_MS
            if length_ms < min_ms or end_ms - words[index + 1].start_ms < min_ms:
                score -= max_ms  # Only if there is no other place.
            if score > best_score:
                best, best_score = index, score
        if best == len(words) - 1:
            break  # A single atom is left that is too long by itself.
        yield words[first : best + 1]
        first = best + 1
    yield words[first:]
