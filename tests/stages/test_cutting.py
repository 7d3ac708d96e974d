"""What must hold of every cutting: no word lost or doubled, and 2 to 12 seconds of one speaker."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.captions import CaptionTrack, segment
from pipeline.stages.cues import Cue, caption_tokens, is_speaker_mark, spread
from pipeline.stages.segmentation import SEGMENTATION_POLICIES

RECOMMENDED = SEGMENTATION_POLICIES["recommended"]


@st.composite
def tracks(draw: st.DrawFn) -> CaptionTrack:
    """Automatic captions of awkward words with awkward times."""
    cues, time_ms = [], 0
    spoken = [
        "so",
        "Yes.",
        "Dr.",
        "well...",
        "U.S.",
        "3.5",
        "[Music]",
        "(laughs)",
        ">>",
        '>>"No"',
        "a>>b",
        '"Stop!"',
        "-",
    ]
    for _ in range(draw(st.integers(1, 5))):
        words, start_ms = [], time_ms
        for text in draw(st.lists(st.sampled_from(spoken), min_size=1, max_size=12)):
            length_ms = draw(st.sampled_from([0, 100, 700, 4000, 13_000]))
            words += spread(caption_tokens(text), time_ms, time_ms + length_ms)
            time_ms += length_ms + draw(st.sampled_from([0, 0, 200, 600, 3500]))
        cues.append(Cue(start_ms, max(time_ms, start_ms + 1), " ".join(w.text for w in words), tuple(words)))
    return CaptionTrack(tuple(cues), "json3", "automatic", ())


@settings(deadline=None, max_examples=100)  # The first example imports NLTK.
@given(tracks())
def test_each_word_is_in_one_utterance_of_2_to_12_seconds_of_one_speaker(track):
    utterances = segment(track, RECOMMENDED, duration_ms=60_000)
    spoken = [word.text for cue in track.cues for word in cue.words if not is_speaker_mark(word.text)]
    assert sorted(" ".join(u.text for u in utterances).split()) == sorted(" ".join(spoken).split())
    turns = " ".join(word.text for cue in track.cues for word in cue.words).split(">>")
    for utterance in utterances:
        assert any(utterance.text in turn for turn in turns)
        if utterance.kept:
            assert 2000 <= utterance.end_ms - utterance.start_ms <= 12_000
            assert 0 <= utterance.start_ms < utterance.end_ms <= 60_000
            assert not {"[", "("} & set(utterance.text)
