import hashlib
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from crossmodal.demo.recording import perform
from crossmodal.demo.scripts import Mood, parse
from crossmodal.demo.speech import MANNERS, SpeechError, Synthesiser

SENTENCE = "The council closed the street in front of our house for three weeks."
VOICES = ["en-us+f2", "en-gb-x-rp+m3"]


def speak(mood, voice="en-us+f2"):
    speaker = Synthesiser()
    spoken = speaker.speak(SENTENCE, voice=voice, manner=MANNERS[mood])
    return spoken.samples.astype(float) / 32768, speaker.sample_rate_hz


def loudness_db(samples):
    return 20 * np.log10(np.sqrt(np.mean(samples**2)))


def pitch_hz(samples, rate_hz):
    """Median fundamental frequency by autocorrelation over voiced 40 ms frames."""
    window = int(0.04 * rate_hz)
    shortest, longest = rate_hz // 500, rate_hz // 60
    found = []
    for start in range(0, len(samples) - window, window // 2):
        frame = samples[start : start + window] - samples[start : start + window].mean()
        correlation = np.correlate(frame, frame, "full")[window - 1 :]
        lag = shortest + int(np.argmax(correlation[shortest:longest]))
        if correlation[0] > 0.001 and correlation[lag] > 0.5 * correlation[0]:
            found.append(rate_hz / lag)
    return float(np.median(found))


@pytest.mark.parametrize("voice", VOICES)
def test_loudness_follows_the_mood(voice):
    levels = {mood: loudness_db(speak(mood, voice)[0]) for mood in Mood}
    assert levels[Mood.ANGRY] > levels[Mood.HAPPY] > levels[Mood.CALM] > levels[Mood.SAD]
    assert levels[Mood.ANGRY] - levels[Mood.SAD] > 6


@pytest.mark.parametrize("voice", VOICES)
def test_pitch_follows_the_mood(voice):
    pitches = {mood: pitch_hz(*speak(mood, voice)) for mood in Mood}
    assert pitches[Mood.HAPPY] > pitches[Mood.CALM] > pitches[Mood.SAD]


@pytest.mark.parametrize("voice", VOICES)
def test_pace_follows_the_mood(voice):
    lengths = {mood: len(speak(mood, voice)[0]) for mood in Mood}
    assert lengths[Mood.SAD] > lengths[Mood.CALM] > lengths[Mood.HAPPY]


def test_nothing_is_clipped():
    for mood in Mood:
        samples, _ = speak(mood)
        assert np.mean(np.abs(samples) > 0.999) < 0.001


def test_every_word_starts_after_the_one_before_and_within_the_sound():
    spoken = Synthesiser().speak(
        "In the well-known shop, we sold 42 rolls at 6 o'clock.", voice="en-us", manner=MANNERS[Mood.CALM]
    )
    starts = [word.start_sample for word in spoken.words]
    assert " ".join(word.text for word in spoken.words) == "In the well-known shop, we sold 42 rolls at 6 o'clock."
    assert all(a < b for a, b in zip(starts, starts[1:], strict=False))
    assert starts[-1] < len(spoken.samples)


def test_an_unknown_voice_is_a_sentence():
    with pytest.raises(SpeechError, match="no voice named 'nobody'"):
        Synthesiser().speak("Hello.", voice="nobody", manner=MANNERS[Mood.CALM])


SCRIPT = """title: Two voices
split: train
media: mp3
captions: vtt
interviewer: en-gb-x-rp+m3
guest: en-us+f2

I calm: What happens here on a Monday?
G happy: We dance! It is wonderful.
"""


def test_a_performance_has_the_length_of_its_parts():
    script = parse("two", SCRIPT)
    samples, rate_hz, timeline = perform(script)
    assert rate_hz == 22_050
    assert timeline.duration_ms == pytest.approx(1000 * len(samples) / rate_hz, abs=1)
    assert [(s.speaker, s.mood, s.text) for s in timeline.sentences] == [
        ("interviewer", Mood.CALM, "What happens here on a Monday?"),
        ("guest", Mood.HAPPY, "We dance!"),
        ("guest", Mood.HAPPY, "It is wonderful."),
    ]


def digest(script):
    samples, _, timeline = perform(script)
    return hashlib.sha256(samples.tobytes() + repr(timeline).encode()).hexdigest()


def test_a_performance_is_the_same_again_also_in_another_process_and_another_second():
    """The breath of some of espeak-ng's voices is random, seeded with the time."""
    script = parse("two", SCRIPT)
    here = digest(script)
    time.sleep(1.1)
    assert digest(script) == here
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(digest, script).result() == here


def test_sound_is_where_the_timeline_says_and_quiet_between():
    samples, rate_hz, timeline = perform(parse("two", SCRIPT))
    x = samples.astype(float) / 32768

    def level(start_ms, end_ms):
        return loudness_db(x[start_ms * rate_hz // 1000 : end_ms * rate_hz // 1000])

    first, second, third = timeline.sentences
    assert min(level(s.start_ms, s.end_ms) for s in timeline.sentences) > -35
    assert level(0, first.start_ms) < -60
    assert level(first.end_ms + 5, second.start_ms - 5) < -60
    assert level(second.end_ms + 5, third.start_ms - 5) < -60
    assert level(third.end_ms + 5, timeline.duration_ms) < -60
