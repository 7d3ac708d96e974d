"""Share of speech of spans, and what the gate rejects."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import resample_poly

from pipeline.stages import speech_gate
from pipeline.stages.audio import decode
from pipeline.stages.captions import SEGMENTATION_POLICIES, Utterance, without_speechless
from pipeline.stages.errors import StageError
from pipeline.stages.speech_gate import speech_probabilities, speech_shares

RECOMMENDED = SEGMENTATION_POLICIES["recommended"]


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.flac"
    sf.write(path, 0.3 * np.sin(2 * math.pi * 220 * np.arange(5 * 16_000) / 16_000), 16_000)
    return path


@pytest.fixture
def interview(shared_data: Path, tmp_path: Path) -> Path:
    return decode(shared_data / "interview" / "interview.mp3", tmp_path / "interview.flac").path


def test_a_tone_is_no_speech(tone):
    assert speech_shares(tone, [(0, 2000), (1000, 4999)]).tolist() == [0, 0]
    assert speech_shares(tone, []).shape == (0,)


def test_each_window_has_a_probability():
    assert speech_probabilities(np.zeros(1025, np.float32)).shape == (3,)
    assert speech_probabilities(np.zeros(0, np.float32)).shape == (0,)


def test_spans_end_with_the_recording_and_do_not_begin_behind_it(tone):
    assert speech_shares(tone, [(4000, 9000)]).tolist() == [0]
    with pytest.raises(StageError, match="lies outside the recording"):
        speech_shares(tone, [(5000, 9000)])


def test_another_rate_or_file_is_refused_in_a_sentence(tmp_path):
    sf.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    with pytest.raises(StageError, match="not at 16 kHz"):
        speech_shares(tmp_path / "a.wav", [(0, 500)])
    (tmp_path / "b.wav").write_text("nothing")
    with pytest.raises(StageError, match="cannot be read as a recording"):
        speech_shares(tmp_path / "b.wav", [(0, 500)])


def test_the_model_is_loaded_once(tone):
    speech_gate._detector.cache_clear()
    speech_shares(tone, [(0, 1000)])
    speech_shares(tone, [(0, 1000)])
    assert speech_gate._detector.cache_info().misses == 1


@pytest.mark.shared_data
def test_an_early_answer_is_the_same_answer(interview):
    spans = [(start, start + 4000) for start in range(0, 52_000, 1500)]
    whole = speech_shares(interview, spans)
    assert whole.min() > RECOMMENDED.min_speech_share
    for enough in (0.2, 0.6, 0.9):
        early = speech_shares(interview, spans, enough=enough)
        assert ((early >= enough) == (whole >= enough)).all()
        assert (early <= whole + 1e-9).all()


@pytest.mark.shared_data
def test_the_same_span_has_the_same_share_wherever_it_is_asked(interview):
    span = (20_000, 24_000)
    alone, after_others = speech_shares(interview, [span])[0], speech_shares(interview, [(0, 9000), span, span])
    assert after_others[1:].tolist() == [alone, alone]


@pytest.mark.shared_data
def test_it_keeps_speech_and_rejects_music_and_silence(shared_data, tmp_path):
    kept: dict[str, float] = {}
    for kind in ("speech", "music", "silence"):
        paths = sorted((shared_data / "sound_classes" / kind).iterdir())
        for path in paths:
            samples, rate_hz = sf.read(path)
            sf.write(tmp_path / "clip.flac", resample_poly(samples, 16_000, rate_hz), 16_000)
            share = speech_shares(tmp_path / "clip.flac", [(0, 1000)], enough=RECOMMENDED.min_speech_share)[0]
            kept[kind] = kept.get(kind, 0) + (share >= RECOMMENDED.min_speech_share) / len(paths)
    assert kept["speech"] >= 0.95
    assert kept["music"] <= 0.10
    assert kept["silence"] == 0


def test_only_kept_utterances_without_speech_are_rejected():
    utterances = (
        Utterance(0, 3000, "one", ""),
        Utterance(3000, 4000, "short", "shorter than 2 s"),
        Utterance(4000, 7000, "two", ""),
        Utterance(7000, 9000, "three", ""),
    )
    gated = without_speechless(utterances, [0.2, 0.199, 1.0], RECOMMENDED)
    assert [u.reason for u in gated] == ["", "shorter than 2 s", "hardly any speech", ""]
    assert without_speechless(utterances, [0, 0, 0], SEGMENTATION_POLICIES["seed-2019"]) == utterances
