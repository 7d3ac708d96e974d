"""The vectorised 136 features against pyAudioAnalysis itself, at the tolerance that they promise."""

import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages import features
from pipeline.stages.errors import StageError
from pipeline.stages.features import extract_spans
from pipeline.stages.mid_term import BATCH_FRAMES, VectorisedExtractor
from pipeline.stages.pyaudioanalysis import LibraryExtractor
from tests.stages.sounds import noise, sine, write_flac

RELATIVE, ABSOLUTE = 1e-9, 1e-12
LIBRARY, OURS = LibraryExtractor("library"), VectorisedExtractor("ours")
# What a long segment may differ by where it is read in blocks of another size: rounding alone.
ROUNDING: Any = {"rtol": 1e-10, "atol": 1e-13}


def assert_equals_the_library(samples: np.ndarray, rate_hz: int = 16_000) -> None:
    np.testing.assert_allclose(
        OURS.extract(samples, rate_hz), LIBRARY.extract(samples, rate_hz), rtol=RELATIVE, atol=ABSOLUTE
    )


def click(frames: int, place: int) -> np.ndarray:
    samples = np.zeros(frames)
    samples[place] = 0.7
    return samples


class TestAgainstTheLibrary:
    def test_names_are_the_librarys(self) -> None:
        assert OURS.feature_names == LIBRARY.feature_names

    @pytest.mark.shared_data
    def test_all_real_speech(self, shared_data: Path) -> None:
        clips = [sf.read(path)[0] for path in sorted((shared_data / "speech_valence").glob("*.wav"))]
        assert len(clips) == 47
        expected = np.array([LIBRARY.extract(clip, 16_000) for clip in clips])
        np.testing.assert_allclose(OURS.extract_many(clips, 16_000), expected, rtol=RELATIVE, atol=ABSOLUTE)

    @pytest.mark.parametrize(
        "samples",
        [
            np.zeros(16_000),
            np.full(16_000, 0.25),
            np.full(16_000, 0.1, dtype=np.float32),
            np.full(16_000, 1234 / 32_768),
            np.clip(3 * sine(1000, 1.0, amplitude=1.0), -1, 1),
            sine(220, 1.0) + 0.3,
            sine(1000, 1.3),
            sine(7999, 1.0),
            np.tile([1.0, -1.0], 8000),
            click(16_000, 0),
            click(16_000, 799),
            click(16_001, 8000),
            np.concatenate([np.zeros(8000), noise(8000) / 32_768]),
            np.linspace(-1, 1, 16_001),
            1000 * noise(8000).astype(float),
            1e-300 * noise(8000).astype(float),
            5e-324 * (noise(8000) % 7),
            np.concatenate([noise(8000) / 32_768, np.zeros(16_000)]),
            np.tile(noise(16_000) / 32_768, 2),
        ],
        ids=[
            "silence", "offset", "offset that rounds", "16-bit offset", "clipping", "tone with offset", "tone",
            "highest tone", "alternation", "click at the start", "click at a window's end", "click", "silence, noise",
            "ramp", "beyond full scale", "squares are 0", "subnormal", "noise, silence", "twice the same",
        ],
    )  # fmt: skip
    def test_sounds_at_the_borders_of_the_formulas(self, samples: np.ndarray) -> None:
        assert_equals_the_library(samples)

    @pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
    def test_other_rates_and_odd_lengths(self, rate_hz: int) -> None:
        assert_equals_the_library(noise(rate_hz + 777) / 32_768, rate_hz)
        assert_equals_the_library(sine(440, 0.33, rate_hz), rate_hz)

    @settings(max_examples=15, deadline=None)
    @given(
        st.integers(0, 2**32 - 1),
        st.integers(800, 40_000),
        st.sampled_from([0.0, 1e-4, 0.01, 1.0]),
        st.floats(20, 8000),
        st.floats(-0.5, 0.5),
    )
    def test_random_mixtures_of_noise_tone_and_offset(
        self, seed: int, frames: int, level: float, frequency_hz: float, offset: float
    ) -> None:
        mixture = level * np.random.default_rng(seed).normal(size=frames) + offset
        assert_equals_the_library(mixture + 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(frames) / 16_000))

    @pytest.mark.parametrize("frames", [0, 1, 799])
    def test_a_segment_shorter_than_a_window_has_the_same_error(self, frames: int) -> None:
        with pytest.raises(StageError) as expected:
            LIBRARY.extract(np.zeros(frames), 16_000)
        for compute in (
            lambda: OURS.extract(np.zeros(frames), 16_000),
            lambda: OURS.extract_many([np.ones(1600), np.zeros(frames)], 16_000),
        ):
            with pytest.raises(StageError) as caught:
                compute()
            assert caught.value.message == expected.value.message

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_samples_that_are_no_numbers_are_refused(self, bad: float) -> None:
        samples = sine(440, 1.0)
        samples[77] = bad
        with pytest.raises(StageError, match="not made of finite numbers"):
            OURS.extract(samples, 16_000)

    def test_rates_at_which_the_library_fails_are_refused(self) -> None:
        with pytest.raises(IndexError):
            LIBRARY.extract(sine(440, 1.0, 6000), 6000)
        with pytest.raises(StageError, match="at least 8000 Hz, and this sound has 6000 Hz"):
            OURS.extract(sine(440, 1.0, 6000), 6000)


class TestBatches:
    def test_segments_do_not_touch_each_other(self) -> None:
        rng = np.random.default_rng(0)
        segments = [rng.normal(size=n) for n in (800, 16_000, 30_123, 999, 48_000, *[20_000] * 80)]
        assert sum(len(segment) // 800 for segment in segments) > 2 * BATCH_FRAMES  # more than one batch
        alone = np.array([OURS.extract(segment, 16_000) for segment in segments])
        np.testing.assert_array_equal(OURS.extract_many(segments, 16_000), alone)
        np.testing.assert_array_equal(OURS.extract_many(segments[::-1], 16_000)[::-1], alone)

    def test_no_segment_gives_no_row(self) -> None:
        assert OURS.extract_many([], 16_000).shape == (0, 136)

    @pytest.mark.parametrize("frames", [BATCH_FRAMES * 800, BATCH_FRAMES * 800 + 1, BATCH_FRAMES * 1600 + 1234])
    def test_a_long_segment_in_blocks_equals_the_library(self, frames: int) -> None:
        assert_equals_the_library((noise(frames) / 32_768).astype(np.float32))

    def test_threads_share_an_extractor(self) -> None:
        rates = [16_000, 8000, 16_000, 44_100]
        expected = [OURS.extract(noise(60_000, seed) / 32_768, rate) for seed, rate in enumerate(rates)]
        found: dict[int, list[np.ndarray]] = {seed: [] for seed in range(len(rates))}

        def work(seed: int) -> None:
            for _ in range(5):
                found[seed].append(OURS.extract(noise(60_000, seed) / 32_768, rates[seed]))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for seed, rows in found.items():
            assert len(rows) == 5
            for row in rows:
                np.testing.assert_array_equal(row, expected[seed])


class TestMemory:
    def test_a_long_segment_is_never_held_as_a_whole(self) -> None:
        minutes = 20  # 77 MB as float32
        one = (noise(16_000) / 32_768).astype(np.float32)

        def read(block_samples: int) -> Iterator[np.ndarray]:
            left = minutes * 60 * 16_000
            while left:
                count = min(block_samples, left)
                yield np.resize(one, count)
                left -= count

        OURS.extract(one, 16_000)  # tables and working memory are there before
        tracemalloc.start()
        try:
            row = OURS.extract_blocks(read, 16_000)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 32e6
        np.testing.assert_allclose(row, OURS.extract(np.resize(one, 3 * 16_000), 16_000), rtol=0.05, atol=0.02)

    def test_spans_are_read_in_batches_and_a_long_one_in_blocks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write_flac(tmp_path / "a.flac", noise(160_000))
        spans = [(0, 10_000), *((start, start + 1500) for start in range(0, 8000, 500))]
        at_once = extract_spans(path, spans, OURS)
        monkeypatch.setattr(features, "BATCH_MS", 4000)
        told: list[tuple[int, int]] = []
        again = extract_spans(path, spans, OURS, progress=lambda done, total: told.append((done, total)))
        # The long span's total is added up block by block.
        np.testing.assert_allclose(again, at_once, **ROUNDING)
        np.testing.assert_array_equal(again[1:], at_once[1:])
        assert told == [(1, 17), *((done, 17) for done in range(3, 18, 2))]
