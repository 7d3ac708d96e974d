"""A cue per token: the parts of a word are one word."""

import pytest

from pipeline.stages.captions_text import read_srt
from tests.stages.rolling import clock
from tests.stages.shown import recommended, words_of

TOKENS = [" So", ",", " my", " Amer", "icans", ",", " you", " don", "'t", " ask", " why", "."]


def cues_of(tokens):
    return [(n * 300, n * 300 + 300, token) for n, token in enumerate(tokens)]


def test_a_token_without_a_space_before_it_goes_on_with_the_word():
    (utterance,) = recommended(cues_of(TOKENS))
    assert (utterance.start_ms, utterance.end_ms) == (0, 3600)
    assert utterance.text == "So, my Americans, you don't ask why."


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_without_spaces_punctuation_and_contractions_belong_to_the_word_before(form):
    tokens = [token.strip() for token in TOKENS if token != "icans"]
    (utterance,) = recommended(cues_of(tokens), form)
    assert utterance.text == "So, my Amer, you don't ask why."


def test_words_have_the_times_of_their_parts():
    content = "\n\n".join(f"{clock(start)} --> {clock(end)}\n{text}" for start, end, text in cues_of(TOKENS))
    found = {text: (start, end) for text, start, end in words_of(read_srt(content))}
    assert found["Americans,"] == (900, 1800)
    assert found["why."] == (3000, 3600)


def test_a_part_after_a_pause_stays_by_itself():
    cues = cues_of([*TOKENS[:-1], " not"])
    cues[-2] = (9000, 9300, "because")
    cues[-1] = (9300, 9600, " not")
    assert [utterance.text.split()[-1] for utterance in recommended(cues)] == ["ask", "not"]
