"""Cutting tracks into utterances, and the rules that keep or exclude them."""

from dataclasses import replace

import pytest

from pipeline.stages.captions import SEGMENTATION_POLICIES, CaptionTrack, Cue, Utterance, Word, segment
from pipeline.stages.segmentation import OUTSIDE

SEED, RECOMMENDED = SEGMENTATION_POLICIES["seed-2019"], SEGMENTATION_POLICIES["recommended"]
LONG_TEXT = "hallucinations help decide real things"


def people(*cues: tuple[int, int, str]) -> CaptionTrack:
    return CaptionTrack(tuple(Cue(*cue) for cue in cues), "srt", "manual", ())


def machine(*words: tuple[str, int, int]) -> CaptionTrack:
    cue = Cue(words[0][1], words[-1][2], " ".join(word[0] for word in words), tuple(Word(*word) for word in words))
    return CaptionTrack((cue,), "json3", "automatic", ())


def every(step_ms: int, text: str, start_ms: int = 0) -> list[tuple[str, int, int]]:
    """Words without silence between them."""
    return [(w, start_ms + n * step_ms, start_ms + (n + 1) * step_ms) for n, w in enumerate(text.split())]


def texts(track: CaptionTrack) -> list[str]:
    return [utterance.text for utterance in segment(track, RECOMMENDED)]


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize(("length_ms", "reason"), [(1999, "shorter than 2 s"), (2000, ""), (2001, "")])
def test_two_seconds_are_long_enough_and_a_millisecond_less_is_not(policy, length_ms, reason):
    assert segment(people((500, 500 + length_ms, LONG_TEXT)), policy)[0].reason == reason


@pytest.mark.parametrize("policy", [SEED, RECOMMENDED])
@pytest.mark.parametrize(
    "text",
    ["[Laughing]", "(applause)", "♪ we are the champions ♪", "♪ we are the champions", "[Music] (cheers)", "…"],
)
def test_a_cue_of_tags_only_is_excluded(policy, text):
    assert [u.reason for u in segment(people((0, 3000, text)), policy)] == ["only tags"]


def test_seed_2019_keeps_a_tag_inside_a_sentence():
    (utterance,) = segment(people((0, 3000, f"[Laughing] {LONG_TEXT}")), SEED)
    assert (utterance.text, utterance.kept) == (f"[Laughing] {LONG_TEXT}", True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mind look forward dying", ""),
        ("And 's I .", ""),  # Recorded in 2019: punctuation marks are tokens.
        ("this is not what you are to do with them", "fewer than 4 words without stop-words"),
        ("mind look forward", "fewer than 4 words without stop-words"),
        ("I The This Not", ""),  # Stop-words in capitals stay.
    ],
)
def test_seed_2019_counts_tokens_after_stop_word_removal(text, reason):
    assert segment(people((0, 3000, text)), SEED)[0].reason == reason


def test_recommended_counts_tokens_as_spoken():
    track = people((0, 3000, "this is not what"), (9000, 12000, "this is not"))
    assert [u.reason for u in segment(track, RECOMMENDED)] == ["", "fewer than 4 words"]


def test_reasons_name_the_numbers_of_the_policy():
    policy = replace(SEED, min_duration_ms=2500, min_tokens=6)
    assert segment(people((0, 2000, LONG_TEXT)), policy)[0].reason == "shorter than 2.5 s"
    assert segment(people((0, 3000, LONG_TEXT)), policy)[0].reason == "fewer than 6 words without stop-words"


def test_seed_2019_takes_cues_as_they_come():
    track = people((0, 3000, f"one\n{LONG_TEXT}"), (2500, 15_500, LONG_TEXT))
    assert segment(track, SEED) == (
        Utterance(0, 3000, f"one {LONG_TEXT}", ""),
        Utterance(2500, 15_500, LONG_TEXT, ""),
    )


def test_utterances_end_with_the_recording():
    track = people((0, 3000, LONG_TEXT), (4000, 9000, LONG_TEXT), (8000, 9000, LONG_TEXT))
    cut = segment(track, SEED, duration_ms=7000)
    assert [(u.start_ms, u.end_ms, u.reason) for u in cut] == [(0, 3000, ""), (4000, 7000, ""), (8000, 9000, OUTSIDE)]


# ---------------------------------------------------------------- cutting words with times


def test_it_cuts_at_sentence_ends():
    words = every(500, "Dr. Who is here again. We talked for 2.5 hours, really... yes we did! Was it all that good?")
    assert texts(machine(*words)) == [
        "Dr. Who is here again.",
        "We talked for 2.5 hours, really... yes we did!",
        "Was it all that good?",
    ]


def test_hesitation_inside_a_sentence_does_not_cut():
    words = [*every(500, "I really do"), *every(500, "like it here. So do we all.", start_ms=3000)]
    assert texts(machine(*words)) == ["I really do like it here.", "So do we all."]


def test_without_punctuation_it_cuts_at_pauses_of_half_a_second():
    first, second = every(500, "we went home early"), every(500, "they stayed all night", start_ms=2500)
    third = every(500, "nobody knew about it", start_ms=4999)
    assert texts(machine(*first, *second, *third)) == [
        "we went home early",
        "they stayed all night nobody knew about it",
    ]


def test_a_short_sentence_is_joined_unless_a_pause_lies_between():
    near = every(400, "Hello. I am so glad to see you.")
    assert texts(machine(*near)) == ["Hello. I am so glad to see you."]
    far = [("Hello.", 0, 400), *every(400, "I am so glad to see you.", start_ms=900)]
    assert texts(machine(*far)) == ["Hello.", "I am so glad to see you."]


def test_it_never_crosses_a_speaker_mark_or_a_tag():
    words = every(300, ">> Yes I do >> No you do not [Laughter] Well then so be it")
    utterances = segment(machine(*words), RECOMMENDED)
    assert [(u.text, u.reason) for u in utterances] == [
        ("Yes I do", "shorter than 2 s"),
        ("No you do not", "shorter than 2 s"),
        ("[Laughter]", "only tags"),
        ("Well then so be it", "shorter than 2 s"),
    ]


def test_a_speech_without_any_pause_is_cut_evenly_between_2_and_12_seconds():
    words = every(250, " ".join(f"word{n}" for n in range(200)))
    utterances = segment(machine(*words), RECOMMENDED)
    assert len(utterances) == 5
    assert all(9_000 <= u.end_ms - u.start_ms <= 11_000 for u in utterances)
    assert " ".join(u.text for u in utterances).split() == [word for word, _, _ in words]


def test_a_short_rest_is_joined_to_the_last_part_of_a_long_sentence():
    words = [
        *every(500, " ".join(["so"] * 12 + ["so,"] + ["on"] * 14 + ["on."])),
        *every(500, "Oh yes.", start_ms=14_000),
    ]
    utterances = segment(machine(*words), RECOMMENDED)
    assert [len(u.text.split()) for u in utterances] == [13, 17]
    assert utterances[-1].text.endswith("on. Oh yes.")


def test_a_long_sentence_is_cut_at_a_comma():
    words = every(500, " ".join(["so"] * 12 + ["so,"] + ["on"] * 15))
    assert [len(text.split()) for text in texts(machine(*words))] == [13, 15]


def test_one_endless_word_is_excluded_as_too_long():
    assert [u.reason for u in segment(machine(("aah", 0, 13_000)), RECOMMENDED)] == ["longer than 12 s"]


# ---------------------------------------------------------------- cutting people's cues


def test_cues_are_joined_until_one_ends_a_sentence():
    track = people((0, 2000, "I love it here,"), (2000, 4500, "I really do. And so"), (4500, 7000, "do my friends."))
    assert segment(track, RECOMMENDED) == (
        Utterance(0, 7000, "I love it here, I really do. And so do my friends.", ""),
    )


def test_cues_without_punctuation_stay_as_people_cut_them():
    track = people((0, 3000, "we went home early"), (3000, 6000, "they stayed all night"), (6000, 7000, "so long"))
    assert texts(track) == ["we went home early", "they stayed all night so long"]


def test_speakers_inside_a_cue_are_divided_by_characters():
    track = people((0, 8000, "- Are you well?\n- No, not at all."))
    assert segment(track, RECOMMENDED) == (
        Utterance(0, 3733, "Are you well?", ""),
        Utterance(3733, 8000, "No, not at all.", ""),
    )


def test_tags_at_the_ends_of_a_cue_are_dropped_and_its_times_kept():
    track = people((1000, 4000, "[Laughing] And guess what, (sighs)"), (4000, 7000, "it is all over now."))
    assert segment(track, RECOMMENDED) == (
        Utterance(1000, 4000, "And guess what,", ""),
        Utterance(4000, 7000, "it is all over now.", ""),
    )


def test_a_cue_that_is_too_long_is_divided_by_characters():
    text = " ".join(["This is one whole sentence."] * 6)
    utterances = segment(people((0, 30_000, text)), RECOMMENDED)
    assert [(u.start_ms, u.end_ms) for u in utterances] == [(n * 5000, (n + 1) * 5000) for n in range(6)]


def test_cues_out_of_order_are_sorted():
    track = people((5000, 8000, "It came second in time."), (0, 3000, "It came first in time."))
    assert texts(track) == ["It came first in time.", "It came second in time."]


def test_a_long_track_takes_no_more_time_per_word():
    words = every(250, " ".join(["word"] * 50_000))
    assert len(segment(machine(*words), RECOMMENDED)) > 1000
