"""The extractor `crossmodal`: sounds with known answers, what must not matter, and documented names."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.contours import ACTIVE_NAMES, RATE_HZ, VOICED_NAMES, contours
from pipeline.stages.crossmodal_features import (
    CHANGE_STATISTICS,
    LAG_STATISTICS,
    PART_SAMPLES,
    PERCENTILES,
    RHYTHM_NAMES,
    STATISTICS,
    STEP_STATISTICS,
    CrossmodalExtractor,
    _percentiles,
)
from pipeline.stages.errors import StageError
from tests.stages.sounds import noise, sine

ROOT = Path(__file__).resolve().parents[2]
EXTRACTOR = CrossmodalExtractor()


def buzz(frequency_hz: np.ndarray | float, duration_s: float = 2.0, harmonics: int = 20) -> np.ndarray:
    """A voice-like tone: harmonics that fall by 12 dB per octave; the frequency may change from sample to sample."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency_hz, round(duration_s * RATE_HZ))) / RATE_HZ
    samples: np.ndarray = 0.3 * np.sum([np.sin(k * phase) / k**2 for k in range(1, harmonics + 1)], axis=0)
    return samples


def value(samples: np.ndarray, name: str) -> float:
    return float(EXTRACTOR.extract(samples, RATE_HZ)[EXTRACTOR.feature_names.index(name)])


class TestKnownSounds:
    @pytest.mark.parametrize("f0_hz", [75, 110, 220, 330, 450])
    def test_pitch_is_in_semitones_above_55_hz(self, f0_hz: float) -> None:
        samples = buzz(f0_hz)
        assert value(samples, "pitch_p50") == pytest.approx(12 * np.log2(f0_hz / 55), abs=0.1)
        assert value(samples, "pitch_range20_80") < 0.1
        assert value(samples, "voiced_share") > 0.95

    def test_a_glide_of_an_octave_per_second_rises_by_twelve_semitones_per_second(self) -> None:
        glide = buzz(110 * 2 ** (np.arange(2 * RATE_HZ) / RATE_HZ))
        assert value(glide, "pitch_slope") == pytest.approx(12, abs=0.3)
        assert value(glide, "pitch_slope_mean") == pytest.approx(12, abs=0.5)

    def test_noise_has_no_voice_and_a_tone_has_little_noise(self) -> None:
        assert value(noise(2 * RATE_HZ) / 32_768, "voiced_share") < 0.1
        clean, hoarse = buzz(150), buzz(150) + 0.1 * np.random.default_rng(0).normal(size=2 * RATE_HZ)
        assert value(clean, "hnr_mean") > 20 > value(hoarse, "hnr_mean")

    def test_a_brighter_sound_has_a_flatter_slope_and_a_higher_centroid(self) -> None:
        dull, bright = buzz(150), np.diff(buzz(150), prepend=0.0)
        assert value(bright, "centroid_mean") > value(dull, "centroid_mean")
        assert value(bright, "alpha_ratio_mean") < value(dull, "alpha_ratio_mean")
        assert value(bright, "hammarberg_mean") < value(dull, "hammarberg_mean")

    def test_a_soft_voice_has_a_strong_first_harmonic(self) -> None:
        time_s = np.arange(2 * RATE_HZ) / RATE_HZ
        tense, soft = ((np.sin(2 * np.pi * 200 * time_s) + second * np.sin(2 * np.pi * 400 * time_s)) / 4
                       for second in (1.0, 0.1))  # fmt: skip
        assert value(tense, "h1_h2_mean") == pytest.approx(0, abs=0.5)
        assert value(soft, "h1_h2_mean") == pytest.approx(20, abs=0.5)

    def test_noise_of_one_band_is_heard_in_that_band(self) -> None:
        clean = buzz(150, harmonics=40)
        hiss = scipy.signal.sosfilt(
            scipy.signal.butter(6, (2600, 4900), "band", fs=RATE_HZ, output="sos"),
            0.05 * np.random.default_rng(0).normal(size=2 * RATE_HZ),
        )
        assert value(clean, "harmonicity2500_5000_mean") > 0.8
        assert value(clean + hiss, "harmonicity2500_5000_mean") < 0.3
        assert value(clean + hiss, "harmonicity0_1000_mean") > 0.8
        assert value(clean, "cepstral_peak_mean") > value(clean + hiss, "cepstral_peak_mean")

    def test_a_rough_voice_is_unsteady(self) -> None:
        rng = np.random.default_rng(0)
        rough = buzz(150 * np.repeat(1 + 0.02 * rng.normal(size=200), 160))
        assert value(buzz(150), "pitch_step_p50") < 0.01 < value(rough, "pitch_step_p50")
        assert value(buzz(150), "pitch_bend_mean") < 0.01 < value(rough, "pitch_bend_mean")

    def test_changes_over_a_lag_are_of_that_lag(self) -> None:
        glide = buzz(110 * 2 ** (np.arange(2 * RATE_HZ) / RATE_HZ))  # 12 semitones per second
        assert value(glide, "pitch_change50") == pytest.approx(0.6, abs=0.05)
        assert value(glide, "pitch_change120") == pytest.approx(1.44, abs=0.1)

    def test_syllables_are_counted(self) -> None:
        time_s = np.arange(3 * RATE_HZ) / RATE_HZ
        speech = buzz(140, 3.0) * np.maximum(0, np.sin(2 * np.pi * 4 * time_s))  # four bursts per second
        assert value(speech, "voiced_runs_per_s") == pytest.approx(4, abs=0.5)
        assert value(speech, "voiced_run_mean") == pytest.approx(0.125, abs=0.04)
        assert value(speech, "active_share") < 0.7

    def test_a_voice_is_found_in_noise(self) -> None:
        noisy = buzz(180) + 0.05 * np.random.default_rng(0).normal(size=2 * RATE_HZ)
        assert value(noisy, "pitch_p50") == pytest.approx(12 * np.log2(180 / 55), abs=0.3)

    def test_percentiles_are_numpys(self) -> None:
        rows = np.random.default_rng(0).normal(size=(4, 37))
        expected = np.percentile(rows, PERCENTILES, axis=1)
        np.testing.assert_allclose(_percentiles(np.sort(rows, axis=1), PERCENTILES), expected, atol=1e-12)


class TestWhatMustNotMatter:
    @pytest.mark.shared_data
    def test_level_and_offset(self, shared_data: Path) -> None:
        clip = sf.read(sorted((shared_data / "speech_valence").glob("*.wav"))[3])[0]
        features = EXTRACTOR.extract(clip, RATE_HZ)
        np.testing.assert_allclose(EXTRACTOR.extract(0.05 * clip + 0.01, RATE_HZ), features, rtol=1e-3, atol=1e-2)

    @pytest.mark.shared_data
    def test_silence_around_the_speech(self, shared_data: Path) -> None:
        """By no more than a hundredth of each number's deviation over the clips, as docs/features.md promises."""
        rng = np.random.default_rng(0)
        clips = [sf.read(path)[0] for path in sorted((shared_data / "speech_valence").glob("*.wav"))]
        plain = EXTRACTOR.extract_many(clips, RATE_HZ)
        least = 0.01 * plain.std(axis=0)
        for noise_level in (0, 10 ** (-50 / 20)):
            padded = []
            for clip in clips:
                before, after = noise_level * np.abs(clip).max() * rng.normal(size=(2, RATE_HZ // 2))
                padded.append(np.concatenate([before, clip, after]))
            difference = np.abs(EXTRACTOR.extract_many(padded, RATE_HZ) - plain)
            assert (difference <= least).all()

    def test_silence_of_any_length_and_a_constant_offset(self) -> None:
        speech = buzz(140) * np.maximum(0.01, np.sin(2 * np.pi * 3 * np.arange(2 * RATE_HZ) / RATE_HZ))
        features = EXTRACTOR.extract(speech, RATE_HZ)
        padded = np.concatenate([np.zeros(10 * RATE_HZ), speech, np.zeros(3 * RATE_HZ)])
        np.testing.assert_allclose(EXTRACTOR.extract(padded, RATE_HZ), features, rtol=1e-3, atol=1e-3)

    def test_a_segment_of_many_parts_is_their_mean(self) -> None:
        first, second = buzz(120, 30.0), buzz(240, 15.0)
        together = EXTRACTOR.extract(np.concatenate([first, second]), RATE_HZ)
        expected = (2 * EXTRACTOR.extract(first, RATE_HZ) + EXTRACTOR.extract(second, RATE_HZ)) / 3
        np.testing.assert_allclose(together, expected, rtol=1e-9)

    def test_blocks_are_asked_for_in_parts_and_a_rest_too_short_is_left_out(self) -> None:
        def read(block_samples: int) -> Iterator[np.ndarray]:
            assert block_samples == PART_SAMPLES
            yield buzz(120)
            yield np.zeros(700)

        expected = EXTRACTOR.extract(buzz(120), RATE_HZ)
        np.testing.assert_allclose(EXTRACTOR.extract_blocks(read, RATE_HZ), expected, rtol=1e-12)


class TestLimits:
    @pytest.mark.parametrize(
        "samples",
        [
            np.zeros(800), np.zeros(32_000), np.full(5000, 0.5), np.eye(1, 9000)[0], noise(800) / 32_768,
            np.clip(5 * sine(200, 1.0), -1, 1), 1e-9 * sine(300, 0.2), sine(7900, 0.5),
            np.concatenate([np.zeros(16_000), sine(200, 0.01), np.zeros(16_000)]),
        ],
        ids=["50 ms silence", "silence", "offset", "click", "50 ms", "clipping", "quiet", "high", "blip"],
    )  # fmt: skip
    def test_its_numbers_are_always_finite(self, samples: np.ndarray) -> None:
        features = EXTRACTOR.extract(samples.astype(np.float32), RATE_HZ)
        assert features.shape == (len(EXTRACTOR.feature_names),)
        assert features.dtype == np.float64
        assert np.isfinite(features).all()

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(800, 20_000), st.floats(1e-6, 10), st.integers(0, 3))
    def test_random_sounds_too(self, seed: int, frames: int, level: float, power: int) -> None:
        samples = level * np.random.default_rng(seed).normal(size=frames) ** power
        assert np.isfinite(EXTRACTOR.extract(samples, RATE_HZ)).all()

    @pytest.mark.parametrize("frames", [0, 1, 799])
    def test_less_than_50_ms_is_refused(self, frames: int) -> None:
        with pytest.raises(StageError, match="too short for audio features; they need at least 50 ms"):
            EXTRACTOR.extract(np.zeros(frames), RATE_HZ)

    def test_another_rate_and_damaged_samples_are_refused(self) -> None:
        with pytest.raises(StageError, match="needs sound at 16000 Hz, and this has 8000 Hz"):
            EXTRACTOR.extract(np.zeros(8000), 8000)
        with pytest.raises(StageError, match="not made of finite numbers"):
            EXTRACTOR.extract(np.full(8000, np.nan), RATE_HZ)


class TestNames:
    def test_rows_have_as_many_names(self) -> None:
        found = contours(buzz(120))
        assert len(found.active) == len(ACTIVE_NAMES)
        assert len(found.voiced) == len(VOICED_NAMES)

    def test_each_name_is_there_once_and_documented(self) -> None:
        names = EXTRACTOR.feature_names
        assert len(set(names)) == len(names)
        text = (ROOT / "docs" / "features.md").read_text()
        numbered = ("mfcc", "band")
        plain = [name for name in (*ACTIVE_NAMES, *VOICED_NAMES) if not name.startswith(numbered)]
        for name in (*plain, *STATISTICS, *CHANGE_STATISTICS, *LAG_STATISTICS, *STEP_STATISTICS, *RHYTHM_NAMES):
            if not name.startswith("p") or not name[1:].isdigit():
                assert f"`{name}`" in text, name
        for name in (
            "`mfcc1` … `mfcc13`",
            "`band1` … `band26`",
            "`p5`, `p20`, `p50`, `p80`, `p95`",
            f"{len(names)} numbers",
        ):
            assert name in text, name
