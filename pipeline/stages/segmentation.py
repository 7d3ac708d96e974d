"""Cues to utterances: the rules of the method, section 3."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.stages.cue_ends import until_the_next, with_plausible_ends
from pipeline.stages.cues import (
    AUTOMATIC,
    MANUAL,
    CaptionTrack,
    Cue,
    caption_tokens,
    has_words,
    is_speaker_mark,
    name_of_mark,
    without_voice_marks,
)
from pipeline.stages.cutting import CutRules, cut_track
from pipeline.stages.screens import said_once
from pipeline.stages.speakers import with_speakers
from pipeline.stages.speech_rate import too_fast
from pipeline.stages.words import remove_stop_words, word_tokens

# The 2019 report, section 4.2: segments of less than 2 seconds are excluded.
MIN_DURATION_MS = 2_000
# The 2019 report, section 5: videos' segments of at least 4 tokens after stop-word removal.
MIN_TOKENS = 4
# Longer utterances seldom keep one mood; the longest clips of common emotional speech corpora last some 12 s.
MAX_DURATION_MS = 12_000
# Silences of half a second and more stand between phrases, shorter ones also inside them.
PAUSE_MS = 500

# Least share of speech. It keeps at least 95 % of clips of speech and rejects at least 90 % of music and all silence
# (`bench/speech_gate.py`); between 0.1 and 0.25 it makes little difference.
MIN_SPEECH_SHARE = 0.2

# As many characters as the database has for who speaks.
MAX_SPEAKER = 120

# Why an utterance is not kept, as a researcher reads it; the numbers are the policy's.
ONLY_TAGS = "only tags"
TOO_SHORT = "shorter than {seconds:g} s"
TOO_LONG = "longer than {seconds:g} s"
TOO_FAST = "faster than anybody speaks"
TOO_FEW_WORDS = "fewer than {tokens} words"
TOO_FEW_WORDS_LEFT = "fewer than {tokens} words without stop-words"
OUTSIDE = "after the end of the recording"
HARDLY_SPEECH = "hardly any speech"
# Where most utterances have these, the captions or their times are wrong.
_FAULTS = (ONLY_TAGS, "shorter than", "longer than", TOO_FAST, OUTSIDE)


@dataclass(frozen=True)
class SegmentationPolicy:
    """How cues become utterances.

    Parameters
    ----------
    name : str
        Stored with every segment it makes.
    remove_stop_words : bool
        Count tokens after stop-word removal.
    unroll : bool
        Undo the rolling of automatic captions and cut utterances anew; otherwise each cue is an utterance.
    max_duration_ms : int
        Longest utterance in milliseconds that cutting makes; 0 where cues are taken as they come.
    pause_ms : int
        A silence of this many milliseconds ends an utterance; 0 where cues are taken as they come.
    min_duration_ms : int
        Shortest utterance that is kept, in milliseconds.
    min_tokens : int
        Least number of word tokens of an utterance that is kept.
    min_speech_share : float
        Least share of speech, in [0, 1], in the sound of an utterance that is kept; 0 lets everything pass unheard.
    """

    name: str
    remove_stop_words: bool
    unroll: bool
    max_duration_ms: int
    pause_ms: int
    min_duration_ms: int = MIN_DURATION_MS
    min_tokens: int = MIN_TOKENS
    min_speech_share: float = 0.0


SEGMENTATION_POLICIES: dict[str, SegmentationPolicy] = {
    "seed-2019": SegmentationPolicy(
        name="seed-2019", remove_stop_words=True, unroll=False, max_duration_ms=0, pause_ms=0
    ),
    "recommended": SegmentationPolicy(
        name="recommended",
        remove_stop_words=False,
        unroll=True,
        max_duration_ms=MAX_DURATION_MS,
        pause_ms=PAUSE_MS,
        min_speech_share=MIN_SPEECH_SHARE,
    ),
}


@dataclass(frozen=True)
class Utterance:
    """A stretch of speech with its text, in milliseconds of the recording; ``reason`` says why it is not kept.

    ``speaker`` is who speaks, as the captions say; empty where they do not.
    """

    start_ms: int
    end_ms: int
    text: str
    reason: str
    speaker: str = ""

    @property
    def kept(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class _Span:
    """An utterance before it is judged; ``spoken`` is the part of its text that was surely said in its time."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str
    spoken: str


def segment(
    track: CaptionTrack, policy: SegmentationPolicy, *, duration_ms: int | None = None
) -> tuple[Utterance, ...]:
    """Make utterances of a caption track and judge each by the policy's rules.

    Parameters
    ----------
    track : CaptionTrack
        As given by `read_captions`.
    policy : SegmentationPolicy
        With ``unroll``, utterances are cut at sentence ends, pauses and a maximum length, never across a change of
        speakers or a tag, and every spoken word is in exactly one of them. Without, each cue is one utterance. Names
        before words are never part of the text.
    duration_ms : int, optional
        Length of the recording in milliseconds; utterances are cut off there.

    Returns
    -------
    tuple of Utterance
        All of them, kept or not, ordered by their start.

    References
    ----------
    .. [1] Method, section 3.
    """
    track = replace(track, cues=tuple(with_plausible_ends(track.cues)))
    if policy.unroll:
        rules = CutRules(min_ms=policy.min_duration_ms, max_ms=policy.max_duration_ms, pause_ms=policy.pause_ms)
        if track.kind == MANUAL:
            track = replace(track, cues=tuple(until_the_next(said_once(track.cues))))
        words = sorted(cut_track(with_speakers(track), rules), key=lambda word: (word.start_ms, word.end_ms))
        spans = [_Span(word.start_ms, word.end_ms, word.text, word.speaker, word.text) for word in words]
    else:
        spans = _as_they_come(with_speakers(track))
    if duration_ms is not None:
        spans = [
            replace(span, end_ms=min(span.end_ms, duration_ms)) if span.start_ms < duration_ms else span
            for span in spans
        ]
    return tuple(
        Utterance(span.start_ms, span.end_ms, span.text, _reason(span, policy, duration_ms), span.speaker)
        for span in spans
    )


def _as_they_come(track: CaptionTrack) -> list[_Span]:
    """Take each cue as one span; one with two speakers has both."""
    spans: list[_Span] = []
    speaker = track.voice
    for cue in sorted(track.cues, key=lambda cue: cue.start_ms):
        speakers, speaker = _speakers_of(cue, speaker)
        text = without_voice_marks(cue.text)
        # Of the lines of rolling captions one is spoken.
        spoken = max(text.split("\n"), key=len) if track.kind == AUTOMATIC else text
        names = " / ".join(speakers)[:MAX_SPEAKER]
        spans.append(_Span(cue.start_ms, cue.end_ms, " ".join(text.split()), names, spoken))
    return spans


def _speakers_of(cue: Cue, speaker: str) -> tuple[list[str], str]:
    """Give the names of those who speak in a cue, and who speaks at its end."""
    speakers: list[str] = []
    for token in caption_tokens(cue.text):
        if is_speaker_mark(token):
            speaker = name_of_mark(token)
        elif speaker and speaker not in speakers and has_words(token):
            speakers.append(speaker)
    return speakers, speaker


def _reason(span: _Span, policy: SegmentationPolicy, duration_ms: int | None) -> str:
    """Give the first rule that an utterance fails, or ""."""
    length_ms = span.end_ms - span.start_ms
    if duration_ms is not None and span.start_ms >= duration_ms:
        return OUTSIDE
    if not has_words(span.text):
        return ONLY_TAGS
    if length_ms < policy.min_duration_ms:
        return TOO_SHORT.format(seconds=policy.min_duration_ms / 1000)
    if policy.max_duration_ms and length_ms > policy.max_duration_ms:
        return TOO_LONG.format(seconds=policy.max_duration_ms / 1000)
    if too_fast(span.spoken, length_ms):
        return TOO_FAST
    if policy.remove_stop_words:
        if len(remove_stop_words(span.text).split()) < policy.min_tokens:
            return TOO_FEW_WORDS_LEFT.format(tokens=policy.min_tokens)
    # Each word is a token or more, and counting words takes next to no time.
    elif len(span.text.split()) < policy.min_tokens and len(word_tokens(span.text)) < policy.min_tokens:
        return TOO_FEW_WORDS.format(tokens=policy.min_tokens)
    return ""


def without_speechless(
    utterances: Sequence[Utterance], shares: Sequence[float], policy: SegmentationPolicy
) -> tuple[Utterance, ...]:
    """Reject the kept utterances in whose sound there is too little speech.

    Parameters
    ----------
    utterances : sequence of Utterance
        As given by `segment`.
    shares : sequence of float
        Share of speech of each *kept* utterance, in their order.
    policy : SegmentationPolicy
        Its ``min_speech_share`` counts.

    Returns
    -------
    tuple of Utterance
        All of them in the same order.
    """
    share_of = dict(zip((index for index, u in enumerate(utterances) if u.kept), shares, strict=True))
    return tuple(
        replace(utterance, reason=HARDLY_SPEECH)
        if share_of.get(index, policy.min_speech_share) < policy.min_speech_share
        else utterance
        for index, utterance in enumerate(utterances)
    )


def nothing_usable(utterances: Sequence[Utterance]) -> str:
    """Say why captions give nothing to use, as a sentence; empty if they give something.

    Parameters
    ----------
    utterances : sequence of Utterance
        Of one track. What has too few words, or hardly any speech in its sound, is no fault of the captions.

    Returns
    -------
    str
        Not empty if no utterance is kept and most are left out for their times, or for holding no words.
    """
    reasons = Counter(utterance.reason for utterance in utterances)
    if not reasons:
        return (
            "No utterance can be made of these captions; give some in which every sentence or line has its own times."
        )
    faultless = sum(times for reason, times in reasons.items() if not reason.startswith(_FAULTS))
    if reasons[""] or 2 * faultless >= len(utterances):
        return ""
    ((reason, times),) = reasons.most_common(1)
    if reason == OUTSIDE:
        start_s = min(utterance.start_ms for utterance in utterances) // 1000
        return (
            f"None of {len(utterances)} utterances can be used; the reason of {times}: {reason}. The first begins at "
            f"{start_s // 3600}:{start_s // 60 % 60:02}:{start_s % 60:02}. Give the captions of this recording, their "
            "times counted from its beginning (broadcasts often begin at 1:00:00)."
        )
    return (
        f"None of {len(utterances)} utterances can be used; the reason of {times}: {reason}. Give captions in which "
        "every sentence or line has its own times."
    )
