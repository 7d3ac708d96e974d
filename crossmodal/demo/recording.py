"""A script performed: samples of the whole interview, its timeline, and real audio files."""

import random
import zlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from crossmodal.demo.scripts import Script, Turn
from crossmodal.demo.speech import MANNERS, Manner, SpokenSentence, Synthesiser
from crossmodal.demo.timeline import TimedSentence, TimedWord, Timeline

# Silence around and between sentences, roughly as in unhurried talk.
LEAD_MS, SENTENCE_PAUSE_MS, TURN_PAUSE_MS, TAIL_MS = 600, 450, 700, 800
SILENT_BELOW = 60  # of 32768; espeak-ng ends a sentence with digital silence
# A quiet room: without it every pause would be digital zero, which no microphone gives.
ROOM_RMS = 12.0  # of 32768, about -69 dB
CODECS = {"m4a": ("ipod", "aac"), "mp3": ("mp3", "libmp3lame"), "webm": ("webm", "libopus")}
ENCODED_RATE_HZ = {"m4a": 22_050, "mp3": 22_050, "webm": 24_000}  # espeak-ng's own rate; Opus knows 24 kHz
BIT_RATE = 48_000
# The encoders' quick ways: three times as fast as their usual ones, and synthetic speech is no worse for it.
ENCODER_OPTIONS: dict[str, dict[str, object]] = {
    "m4a": {"aac_coder": "fast"},
    "mp3": {"compression_level": "9"},
    "webm": {"compression_level": "2"},
}


def perform(script: Script, fingerprint: str = "") -> tuple[np.ndarray, int, Timeline]:
    """Samples [shape=(n,), dtype=int16], their rate and the timeline. The same script always gives the same."""
    speaker = Synthesiser()
    rate_hz = speaker.sample_rate_hz
    rng = random.Random(zlib.crc32(script.name.encode()))  # noqa: S311 - variety, not secrecy
    pieces = [_silence(LEAD_MS, rate_hz)]
    position = len(pieces[0])
    sentences: list[TimedSentence] = []
    for turn in script.turns:
        for number, text in enumerate(turn.sentences):
            if sentences:
                pause = _silence(SENTENCE_PAUSE_MS if number else TURN_PAUSE_MS, rate_hz)
                pieces.append(pause)
                position += len(pause)
            manner = _varied(MANNERS[turn.mood], rng)
            spoken = _trimmed(speaker.speak(text, voice=script.voices[turn.speaker], manner=manner))
            sentences.append(_timed(turn, spoken, position, rate_hz))
            pieces.append(spoken.samples)
            position += len(spoken.samples)
    pieces.append(_silence(TAIL_MS, rate_hz))
    samples = _in_a_room(np.concatenate(pieces), seed=zlib.crc32(script.name.encode()))
    timeline = Timeline(fingerprint, round(1000 * len(samples) / rate_hz), tuple(sentences))
    return samples, rate_hz, timeline


def _varied(manner: Manner, rng: random.Random) -> Manner:
    """Nobody says two sentences alike: a few per cent of variation in each setting."""
    return replace(
        manner,
        rate_wpm=round(manner.rate_wpm * rng.uniform(0.95, 1.05)),
        pitch=round(manner.pitch + rng.uniform(-4, 4)),
        pitch_range=round(manner.pitch_range + rng.uniform(-6, 6)),
        volume=round(manner.volume * rng.uniform(0.92, 1.08)),
    )


def _silence(duration_ms: int, rate_hz: int) -> np.ndarray:
    return np.zeros(duration_ms * rate_hz // 1000, dtype=np.int16)


def _trimmed(spoken: SpokenSentence) -> SpokenSentence:
    """Without the silence that espeak-ng adds after a sentence."""
    loud = np.flatnonzero(np.abs(spoken.samples.astype(np.int32)) > SILENT_BELOW)
    end = int(loud[-1]) + 1 if loud.size else len(spoken.samples)
    return replace(spoken, samples=spoken.samples[:end])


def _timed(turn: Turn, spoken: SpokenSentence, position: int, rate_hz: int) -> TimedSentence:
    def ms(sample: int) -> int:
        return round(1000 * (position + sample) / rate_hz)

    ends = [word.start_sample for word in spoken.words[1:]] + [len(spoken.samples)]
    words = tuple(
        TimedWord(word.text, ms(word.start_sample), ms(end)) for word, end in zip(spoken.words, ends, strict=True)
    )
    return TimedSentence(turn.speaker, turn.mood, ms(0), ms(len(spoken.samples)), words)


def _in_a_room(samples: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0.0, ROOM_RMS, len(samples))
    return np.clip(np.rint(samples + noise), -32768, 32767).astype(np.int16)


def encode(path: Path, samples: np.ndarray, rate_hz: int, media: str) -> None:
    """Write mono int16 samples [shape=(n,)] as an audio file of the kind ``media``."""
    container_format, codec = CODECS[media]
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=ENCODED_RATE_HZ[media])
        assert isinstance(stream, av.AudioStream)  # noqa: S101 - an audio codec's stream
        stream.layout = "mono"
        stream.bit_rate = BIT_RATE
        stream.options = ENCODER_OPTIONS[media]
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=ENCODED_RATE_HZ[media])
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        frame.time_base = Fraction(1, rate_hz)
        frame.pts = 0
        fifo = av.AudioFifo()
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            resampled.pts = None
            fifo.write(resampled)
        frame_size = stream.codec_context.frame_size or 1024
        while (chunk := fifo.read(frame_size, partial=True)) is not None:
            container.mux(stream.encode(chunk))
        container.mux(stream.encode(None))
