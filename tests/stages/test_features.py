"""Features against the library they come from, against analytic sounds, and on their way through a file."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from scipy.io import wavfile

from pipeline.stages import features
from pipeline.stages.audio import SAMPLE_RATE_HZ, decode
from pipeline.stages.errors import StageError
from pipeline.stages.features import (
    DEFAULT_EXTRACTOR,
    EXTRACTORS,
    STORED_EXTRACTORS,
    Extractor,
    extract_spans,
    extract_spans_by,
    get_extractor,
)
from pipeline.stages.file_features import extract_file, extract_files
from pipeline.stages.spans import SpanReader
from tests.stages.sounds import noise, sine, write_flac

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=[DEFAULT_EXTRACTOR, "pyaudioanalysis-reference"])
def extractor(request: pytest.FixtureRequest) -> Extractor:
    return get_extractor(request.param)


@pytest.fixture(params=sorted(EXTRACTORS))
def any_extractor(request: pytest.FixtureRequest) -> Extractor:
    return get_extractor(request.param)


def value(extractor: Extractor, samples: np.ndarray, name: str) -> float:
    return float(extractor.extract(samples, SAMPLE_RATE_HZ)[extractor.feature_names.index(name)])


class TestAgainstTheLibrary:
    @pytest.mark.shared_data
    def test_real_speech_has_the_numbers_that_the_library_computes_from_its_wav_file(
        self, shared_data: Path, tmp_path: Path
    ) -> None:
        extractor = get_extractor(DEFAULT_EXTRACTOR)
        names = get_extractor("pyaudioanalysis-reference").feature_names  # imports the library
        from pyAudioAnalysis import MidTermFeatures

        clips = sorted((shared_data / "speech_valence").glob("*.wav"))[::4]
        assert len(clips) == 12
        for clip in clips:
            rate, signal = wavfile.read(clip)
            windows = [round(seconds * rate) for seconds in (1.0, 1.0, 0.05, 0.05)]
            expected, _, expected_names = MidTermFeatures.mid_feature_extraction(signal, rate, *windows)
            recording = decode(clip, tmp_path / "a.flac")
            span = (0, -(-recording.frames // 16))
            row = extract_spans(recording.path, [span], extractor)[0]
            assert list(names) == list(extractor.feature_names) == expected_names
            np.testing.assert_allclose(row, expected.mean(axis=1), rtol=1e-9, atol=1e-12, err_msg=clip.name)

    def test_its_import_leaves_no_stand_in_no_path_and_no_warning(self) -> None:
        code = (
            "import sys; before = list(sys.path)\n"
            "from pipeline.stages.features import get_extractor\n"
            "assert len(get_extractor('pyaudioanalysis-reference').feature_names) == 136\n"
            "assert sys.path == before, sys.path\n"
            "left = {'aifc', 'eyed3', 'pydub', 'matplotlib', 'matplotlib.pyplot'} & set(sys.modules)\n"
            "assert not left, left\n"
        )
        run = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True)
        assert (run.returncode, run.stderr) == (0, "")


class TestAnalyticSounds:
    def test_names_are_136_and_unlike(self, extractor: Extractor) -> None:
        names = extractor.feature_names
        assert len(names) == len(set(names)) == 136
        assert names[:2] == ("zcr_mean", "energy_mean")
        assert names[68] == "zcr_std"
        assert sum(name.startswith("delta ") for name in names) == 68

    def test_a_sine_has_the_crossings_energy_and_centroid_of_a_sine(self, extractor: Extractor) -> None:
        tone = sine(1000, 3.0)
        assert value(extractor, tone, "zcr_mean") == pytest.approx(2 * 1000 / 16_000, rel=0.01)
        assert value(extractor, tone, "energy_mean") == pytest.approx(0.5, rel=0.01)  # peak-normalised
        # The library counts its bins from 1: 1,000 Hz is the 51st of 20 Hz, over the 8,000 Hz that there are.
        assert value(extractor, tone, "spectral_centroid_mean") == pytest.approx(1020 / 8000, rel=0.01)
        assert value(extractor, tone, "energy_std") == pytest.approx(0, abs=0.01)

    def test_loudness_and_offset_do_not_matter(self, extractor: Extractor) -> None:
        speech_like = sine(300, 2.0) * np.abs(sine(3, 2.0, amplitude=1.0)) + 0.1 * sine(2000, 2.0)
        loud, soft = (extractor.extract(part, SAMPLE_RATE_HZ) for part in (speech_like, 0.1 * speech_like + 0.2))
        np.testing.assert_allclose(loud, soft, rtol=1e-3, atol=1e-4)

    @pytest.mark.parametrize(
        "samples",
        [
            np.zeros(32_000),
            np.full(32_000, 0.25),
            np.clip(3 * sine(200, 2.0), -1, 1),
            noise(32_000) / 32_768,
            np.eye(1, 16_000)[0],
        ],
        ids=["silence", "offset", "clipping", "noise", "click"],
    )
    def test_its_numbers_are_always_finite(self, extractor: Extractor, samples: np.ndarray) -> None:
        features = extractor.extract(samples.astype(np.float32), SAMPLE_RATE_HZ)
        assert features.shape == (136,)
        assert features.dtype == np.float64
        assert np.isfinite(features).all()

    def test_one_window_is_enough(self, extractor: Extractor) -> None:
        features = extractor.extract(sine(440, 0.05), SAMPLE_RATE_HZ)
        assert np.isfinite(features).all()
        assert (features[68:] == 0).all()  # one window has no deviation

    @pytest.mark.parametrize("frames", [0, 1, 799])
    def test_less_than_one_window_is_refused(self, extractor: Extractor, frames: int) -> None:
        with pytest.raises(StageError, match="too short for audio features; they need at least 50 ms"):
            extractor.extract(np.zeros(frames), SAMPLE_RATE_HZ)

    def test_an_unknown_extractor_is_refused_naming_the_known_ones(self) -> None:
        with pytest.raises(StageError, match=DEFAULT_EXTRACTOR):
            get_extractor("opensmile")


class TestSpans:
    def test_each_row_is_its_span(self, tmp_path: Path, any_extractor: Extractor) -> None:
        samples = np.concatenate([noise(32_000), (20_000 * sine(440, 2.0)).astype(np.int16)])
        path = write_flac(tmp_path / "a.flac", samples)
        told: list[tuple[int, int]] = []
        spans = [(2000, 4000), (0, 2000), (500, 1500)]
        rows = extract_spans(path, spans, any_extractor, progress=lambda done, total: told.append((done, total)))
        assert told[-1] == (3, 3)
        assert [done for done, _ in told] == sorted({done for done, _ in told})
        for row, (start, end) in zip(rows, spans, strict=True):
            expected = any_extractor.extract(samples[16 * start : 16 * end] / 32_768, SAMPLE_RATE_HZ)
            np.testing.assert_allclose(row, expected, rtol=1e-10, atol=1e-13)

    def test_no_span_gives_no_row(self, tmp_path: Path, any_extractor: Extractor) -> None:
        rows = extract_spans(write_flac(tmp_path / "a.flac", noise(16_000)), [], any_extractor)
        assert rows.shape == (0, len(any_extractor.feature_names))

    def test_a_span_outside_the_recording_is_refused(self, tmp_path: Path, any_extractor: Extractor) -> None:
        with pytest.raises(StageError, match="not inside the recording"):
            extract_spans(write_flac(tmp_path / "a.flac", noise(16_000)), [(500, 1500)], any_extractor)

    def test_spans_are_read_once_for_several_extractors(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path, spans = write_flac(tmp_path / "a.flac", noise(48_000)), [(0, 1000), (1000, 3000)]
        extractors = [get_extractor(name) for name in STORED_EXTRACTORS]
        alone = [extract_spans(path, spans, extractor) for extractor in extractors]
        reads: list[tuple[int, int]] = []
        read = SpanReader.read

        def noted(reader: SpanReader, start_ms: int, end_ms: int) -> np.ndarray:
            reads.append((start_ms, end_ms))
            return read(reader, start_ms, end_ms)

        monkeypatch.setattr(SpanReader, "read", noted)
        together = extract_spans_by(path, spans, extractors)
        assert reads == spans
        for rows, expected in zip(together, alone, strict=True):
            np.testing.assert_array_equal(rows, expected)

    def test_a_span_longer_than_a_batch_is_read_in_blocks_by_each(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(features, "BATCH_MS", 1000)
        path, spans = write_flac(tmp_path / "a.flac", noise(48_000)), [(0, 2500), (2500, 3000)]
        extractors = [get_extractor(name) for name in sorted(EXTRACTORS)]
        for rows, extractor in zip(extract_spans_by(path, spans, extractors), extractors, strict=True):
            expected = extractor.extract(noise(48_000)[:40_000] / 32_768, SAMPLE_RATE_HZ)
            np.testing.assert_allclose(rows[0], expected, rtol=1e-10, atol=1e-13)


class TestFiles:
    def test_files_of_any_rate_are_decoded_like_a_recording(self, tmp_path: Path) -> None:
        sf.write(tmp_path / "a.wav", sine(440, 2.0), SAMPLE_RATE_HZ, subtype="PCM_16")
        sf.write(tmp_path / "b.ogg", sine(440, 2.0, 44_100), 44_100)
        paths = [tmp_path / "a.wav", tmp_path / "b.ogg"]
        told: list[tuple[int, int]] = []
        rows = extract_files(paths, DEFAULT_EXTRACTOR, progress=lambda done, total: told.append((done, total)))
        assert told == [(1, 2), (2, 2)]
        # The same tone, once through a lossy codec: crossings, energy and centroid stay.
        np.testing.assert_allclose(rows[0, [0, 1, 3]], rows[1, [0, 1, 3]], rtol=0.03)
        np.testing.assert_array_equal(rows, extract_files(paths, DEFAULT_EXTRACTOR, processes=1))

    def test_the_last_part_of_a_millisecond_counts(self, tmp_path: Path) -> None:
        samples = noise(16_009)
        sf.write(tmp_path / "a.wav", samples, SAMPLE_RATE_HZ, subtype="PCM_16")
        expected = get_extractor(DEFAULT_EXTRACTOR).extract(samples / 32_768, SAMPLE_RATE_HZ)
        np.testing.assert_array_equal(extract_file(tmp_path / "a.wav", DEFAULT_EXTRACTOR), expected)

    @pytest.mark.parametrize("processes", [1, 2])
    def test_a_file_that_cannot_be_used_is_named(self, tmp_path: Path, processes: int) -> None:
        sf.write(tmp_path / "good.wav", sine(440, 1.0), SAMPLE_RATE_HZ)
        sf.write(tmp_path / "short.wav", sine(440, 0.01), SAMPLE_RATE_HZ)
        with pytest.raises(StageError, match=r"short\.wav: A segment of 10 ms is too short"):
            extract_files([tmp_path / "good.wav", tmp_path / "short.wav"], DEFAULT_EXTRACTOR, processes=processes)
