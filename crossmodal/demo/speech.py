"""Sentences to samples through espeak-ng's C library, with a mood in pitch, pace and loudness.

The library keeps global state, and some of it (the phase of the voice's waves) survives even its own shutting down. So
each synthesiser loads a private copy: it starts afresh, and the same sentences in the same order give the same samples.

References: espeak-ng 1.52, ``speak_lib.h`` (numbers of parameters, events and error codes).
"""

import ctypes
import shutil
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from crossmodal.demo.scripts import Mood

AUDIO_OUTPUT_SYNCHRONOUS = 2
CHARACTERS_UTF8 = 1
RATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4
EVENT_END_OF_LIST, EVENT_WORD = 0, 1
BUFFER_MS = 200
SEED = 1


@dataclass(frozen=True)
class Manner:
    """How a mood sounds: words per minute, and three settings from 0 to 100 (volume to 200)."""

    rate_wpm: int
    pitch: int
    pitch_range: int
    volume: int


# Directions as reported for acted speech by Banse and Scherer (1996): joy and hot anger are higher, livelier, faster
# and louder than neutral speech, sadness is lower, flatter, slower and softer. Sizes chosen by ear.
MANNERS: dict[Mood, Manner] = {
    Mood.HAPPY: Manner(rate_wpm=180, pitch=68, pitch_range=85, volume=110),
    Mood.CALM: Manner(rate_wpm=165, pitch=45, pitch_range=45, volume=85),
    Mood.SAD: Manner(rate_wpm=135, pitch=28, pitch_range=18, volume=55),
    Mood.ANGRY: Manner(rate_wpm=185, pitch=55, pitch_range=70, volume=130),
}


@dataclass(frozen=True)
class SpokenWord:
    text: str
    start_sample: int


@dataclass(frozen=True)
class SpokenSentence:
    """Samples [shape=(n,), dtype=int16, mono] and where in them each word starts."""

    samples: np.ndarray
    words: tuple[SpokenWord, ...]


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class SpeechError(Exception):
    """espeak-ng cannot be used, in a sentence."""


class Synthesiser:
    """A loaded copy of the library. Not for two threads at once."""

    def __init__(self) -> None:
        try:
            import espeakng_loader

            self._library = _load_copy(Path(espeakng_loader.get_library_path()))
            data_path = espeakng_loader.get_data_path()
        except (ImportError, OSError) as error:
            raise SpeechError(
                "espeak-ng, which speaks the demonstration, cannot be loaded; install the package espeakng-loader."
            ) from error
        rate = self._library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, str(data_path).encode(), 0)
        if rate <= 0:
            raise SpeechError("espeak-ng cannot read its voices; install the package espeakng-loader again.")
        self.sample_rate_hz: int = rate
        # Random numbers make some voices breathe; espeak-ng seeds them with the time of day.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(SEED))
        self._chunks: list[np.ndarray] = []
        self._word_events: list[tuple[int, int, int]] = []
        self._callback = _Callback(self._receive)  # held here, or Python would free what the library calls
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        index = 0
        while events[index].type != EVENT_END_OF_LIST:
            event = events[index]
            if event.type == EVENT_WORD:
                self._word_events.append((event.text_position - 1, event.length, event.sample))
            index += 1
        return 0

    def speak(self, text: str, *, voice: str, manner: Manner) -> SpokenSentence:
        """One sentence in one voice and manner. Raises SpeechError where there is no such voice."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechError(f"espeak-ng has no voice named {voice!r}.")
        settings = {RATE: manner.rate_wpm, PITCH: manner.pitch, RANGE: manner.pitch_range, VOLUME: manner.volume}
        for number, value in settings.items():
            self._library.espeak_SetParameter(number, value, 0)
        self._chunks, self._word_events = [], []
        content = text.encode()
        status = self._library.espeak_Synth(
            content, ctypes.c_size_t(len(content) + 1), 0, 0, 0, CHARACTERS_UTF8, None, None
        )
        self._library.espeak_Synchronize()
        if status != 0 or not self._chunks:
            raise SpeechError(f"espeak-ng could not speak {text!r}.")
        samples = np.concatenate(self._chunks)
        return SpokenSentence(samples, _words(text, self._word_events, len(samples)))


def _load_copy(library: Path) -> Any:
    """The loader knows a library by its file: another file is another instance, with memory of its own."""
    try:
        with tempfile.TemporaryDirectory(prefix="espeak-") as folder:
            return ctypes.CDLL(shutil.copy(library, folder))
    except OSError:  # nothing may be run from the temporary folder: then the samples differ a little each time
        return ctypes.CDLL(str(library))


def _words(text: str, events: list[tuple[int, int, int]], n_samples: int) -> tuple[SpokenWord, ...]:
    """One entry per blank-separated word.

    espeak-ng tells the start of parts of a word ("well", "known") as well, and runs some small words together
    ("in the"): such a word starts where its share of the letters up to the next known start begins.
    """
    words = text.split()
    known: dict[int, int] = {0: 0, len(words): n_samples}
    position = 0
    for number, word in enumerate(words):
        start = text.index(word, position)
        position = start + len(word)
        samples = [sample for at, _, sample in events if start <= at < position]
        if samples and number:
            known[number] = samples[0]
    starts: list[int] = []
    anchors = sorted(known)
    for first, last in pairwise(anchors):
        lengths = [len(word) for word in words[first:last]]
        span = known[last] - known[first]
        starts += [known[first] + span * sum(lengths[:index]) // sum(lengths) for index in range(len(lengths))]
    return tuple(SpokenWord(word, start) for word, start in zip(words, starts, strict=True))
