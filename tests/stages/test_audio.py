"""Decoding, slices and peaks, against sounds whose samples are known."""

import io
import tracemalloc
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from pipeline.stages.audio import decode, peaks, read_slice, slice_wav
from pipeline.stages.errors import StageError
from tests.stages.sounds import encode, loudest_hz, noise, silent_film, sine, write_flac


def samples_of(path: Path) -> np.ndarray:
    samples: np.ndarray = sf.read(path, dtype="int16")[0]
    return samples


class TestDecode:
    def test_both_stored_forms_hold_the_same_samples(self, tmp_path: Path) -> None:
        write_flac(tmp_path / "a.flac", noise(48_000))
        wav, flac = (decode(tmp_path / "a.flac", tmp_path / name) for name in ("b.wav", "b.flac"))
        assert [sf.info(path).format for path in (wav.path, flac.path)] == ["WAV", "FLAC"]
        assert wav.frames == flac.frames == 48_000
        np.testing.assert_array_equal(read_slice(wav.path, 100, 2345), read_slice(flac.path, 100, 2345))
        assert slice_wav(wav.path, 100, 2345) == slice_wav(flac.path, 100, 2345)

    def test_it_keeps_every_sample_of_a_16_khz_wav(self, tmp_path: Path) -> None:
        sf.write(tmp_path / "a.wav", noise(50_001), 16_000, subtype="PCM_16")
        recording = decode(tmp_path / "a.wav", tmp_path / "a.flac")
        assert recording.frames == 50_001
        assert recording.duration_s == 50_001 / 16_000
        assert (samples_of(recording.path) == noise(50_001)).all()
        info = sf.info(recording.path)
        assert (info.format, info.subtype, info.samplerate, info.channels) == ("FLAC", "PCM_16", 16_000, 1)

    @pytest.mark.parametrize(
        ("name", "codec", "rate_hz"),
        [
            ("a.mp3", "libmp3lame", 44_100),
            ("a.m4a", "aac", 44_100),
            ("a.webm", "libopus", 48_000),
            ("a.ogg", "libopus", 48_000),
            ("a.flac", "flac", 44_100),
            ("a.wav", "pcm_s16le", 8_000),
            ("a.mka", "pcm_f32le", 22_050),
        ],
    )
    @pytest.mark.parametrize("channels", [1, 2])
    def test_it_reads_any_container(self, tmp_path: Path, name: str, codec: str, rate_hz: int, channels: int) -> None:
        tone = np.tile(sine(440, 3.0, rate_hz), (channels, 1))
        recording = decode(encode(tmp_path / name, tone, rate_hz, codec), tmp_path / "out.flac")
        # Lossy codecs pad to whole frames; where the container says by how much, FFmpeg cuts it off again.
        assert recording.duration_s == pytest.approx(3.0, abs=0.03)
        middle = read_slice(recording.path, 500, 2500)
        assert loudest_hz(middle) == pytest.approx(440, abs=0.5)
        assert np.abs(middle).max() == pytest.approx(0.5, abs=0.03)

    @pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000])
    def test_resampling_keeps_the_duration_to_the_sample(self, tmp_path: Path, rate_hz: int) -> None:
        sf.write(tmp_path / "a.wav", sine(1000, 2.5, rate_hz), rate_hz)
        recording = decode(tmp_path / "a.wav", tmp_path / "a.flac")
        assert abs(recording.frames - 40_000) <= 1
        expected = sine(1000, 2.5)[8_000:32_000]
        assert np.abs(read_slice(recording.path, 500, 2000) - expected).max() < 0.01

    def test_it_takes_the_audio_of_a_video(self, tmp_path: Path) -> None:
        film = encode(tmp_path / "a.mp4", sine(440, 2.0, 44_100)[None], 44_100, "aac", picture=True)
        recording = decode(film, tmp_path / "a.flac")
        assert recording.duration_s == pytest.approx(2.0, abs=0.03)

    def test_audio_that_starts_later_than_the_picture_keeps_its_time(self, tmp_path: Path) -> None:
        film = encode(tmp_path / "a.mkv", sine(440, 2.0, 16_000)[None], 16_000, "flac", picture=True, late_s=1.0)
        recording = decode(film, tmp_path / "a.flac")
        assert recording.duration_s == pytest.approx(3.0, abs=0.002)
        assert np.abs(read_slice(recording.path, 0, 990)).max() == 0
        assert np.abs(read_slice(recording.path, 1010, 2000)).max() > 0.4

    def test_it_follows_a_change_of_rate_and_channels(self, tmp_path: Path) -> None:
        encode(tmp_path / "a.mp3", sine(440, 2.0, 44_100)[None], 44_100, "libmp3lame")
        encode(tmp_path / "b.mp3", np.tile(sine(440, 2.0, 48_000), (2, 1)), 48_000, "libmp3lame")
        both = tmp_path / "both.mp3"
        both.write_bytes((tmp_path / "a.mp3").read_bytes() + (tmp_path / "b.mp3").read_bytes())
        recording = decode(both, tmp_path / "a.flac")
        assert recording.duration_s == pytest.approx(4.0, abs=0.15)
        assert loudest_hz(read_slice(recording.path, 2500, 3500)) == pytest.approx(440, abs=1)

    def test_it_tells_seconds_done_and_in_all(self, tmp_path: Path) -> None:
        write_flac(tmp_path / "a.flac", np.zeros(65 * 16_000, dtype=np.int16))
        told: list[tuple[int, int]] = []
        decode(tmp_path / "a.flac", tmp_path / "b.flac", progress=lambda done, total: told.append((done, total)))
        assert told[-1] == (65, 65)
        assert len(told) >= 6
        assert told == sorted(told)
        assert {total for _, total in told} == {65}

    def test_its_memory_does_not_grow_with_the_recording(self, tmp_path: Path) -> None:
        write_flac(tmp_path / "a.flac", np.zeros(600 * 16_000, dtype=np.int16))
        tracemalloc.start()
        decode(tmp_path / "a.flac", tmp_path / "b.flac")
        peaks(tmp_path / "b.flac", 10)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 5_000_000  # the recording has 19 MB of samples

    def test_a_recording_at_the_limit_is_taken(self, tmp_path: Path) -> None:
        write_flac(tmp_path / "a.flac", noise(32_000))
        assert decode(tmp_path / "a.flac", tmp_path / "b.flac", max_duration_s=2.0).frames == 32_000

    def test_a_longer_recording_is_refused_naming_the_limit(self, tmp_path: Path) -> None:
        write_flac(tmp_path / "a.flac", noise(75 * 16_000))
        with pytest.raises(StageError, match=r"a\.flac is longer than the limit of 0:01:10") as caught:
            decode(tmp_path / "a.flac", tmp_path / "b.flac", max_duration_s=70)
        assert caught.value.permanent
        assert [path.name for path in tmp_path.iterdir()] == ["a.flac"]

    def test_the_limit_holds_where_the_container_does_not_tell_its_length(self, tmp_path: Path) -> None:
        encode(tmp_path / "a.aac", sine(440, 5.0, 44_100)[None], 44_100, "aac")
        with pytest.raises(StageError, match="longer than the limit of 0:00:02"):
            decode(tmp_path / "a.aac", tmp_path / "b.flac", max_duration_s=2)

    def test_a_video_without_sound_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match=r"film\.mp4 has no audio in it") as caught:
            decode(silent_film(tmp_path / "film.mp4"), tmp_path / "b.flac")
        assert caught.value.permanent

    @pytest.mark.parametrize(
        "content",
        [b"", b"This is no recording.\n" * 100, np.random.default_rng(0).bytes(20_000)],
        ids=["empty", "text", "random"],
    )
    def test_what_is_no_recording_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.mp3").write_bytes(content)
        with pytest.raises(StageError, match=r"a\.mp3 "):
            decode(tmp_path / "a.mp3", tmp_path / "b.flac")
        assert [path.name for path in tmp_path.iterdir()] == ["a.mp3"]

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match=r"There is no file a\.mp3"):
            decode(tmp_path / "a.mp3", tmp_path / "b.flac")

    def test_a_file_cut_off_within_its_index_is_refused(self, tmp_path: Path) -> None:
        whole = encode(tmp_path / "a.mp4", sine(440, 3.0, 44_100)[None], 44_100, "aac").read_bytes()
        (tmp_path / "a.mp4").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(StageError, match="cannot be read"):
            decode(tmp_path / "a.mp4", tmp_path / "b.flac")

    def test_a_file_cut_off_in_its_sound_gives_what_is_there(self, tmp_path: Path) -> None:
        whole = encode(tmp_path / "a.mp3", sine(440, 4.0, 44_100)[None], 44_100, "libmp3lame").read_bytes()
        (tmp_path / "a.mp3").write_bytes(whole[: len(whole) // 2])
        assert decode(tmp_path / "a.mp3", tmp_path / "b.flac").duration_s == pytest.approx(2.0, abs=0.1)

    def test_damage_all_over_a_file_is_refused(self, tmp_path: Path) -> None:
        content = bytearray(encode(tmp_path / "a.webm", sine(440, 5.0, 48_000)[None], 48_000, "libopus").read_bytes())
        # Opus packets with an impossible table of contents, behind whole container frames.
        packets = 0
        position = content.find(b"\xa3")
        while position >= 0:
            content[position + 5 : position + 9] = b"\xff\xff\xff\xff"
            packets += 1
            position = content.find(b"\xa3", position + 9)
        assert packets > 10
        (tmp_path / "a.webm").write_bytes(content)
        with pytest.raises(StageError, match="damaged|cannot be read"):
            decode(tmp_path / "a.webm", tmp_path / "b.flac")

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("list.wav", "ffconcat version 1.0\nfile secret.flac\n"),
            ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.flac\n#EXT-X-ENDLIST\n"),
        ],
    )
    def test_a_playlist_cannot_make_it_open_other_files(self, tmp_path: Path, name: str, content: str) -> None:
        write_flac(tmp_path / "secret.flac", noise(16_000))
        (tmp_path / name).write_text(content)
        with pytest.raises(StageError, match="cannot be read as audio or video"):
            decode(tmp_path / name, tmp_path / "b.flac")

    def test_a_failure_leaves_an_earlier_recording_as_it_was(self, tmp_path: Path) -> None:
        write_flac(tmp_path / "b.flac", noise(16_000))
        (tmp_path / "a.mp3").write_bytes(b"no sound")
        with pytest.raises(StageError):
            decode(tmp_path / "a.mp3", tmp_path / "b.flac")
        assert (samples_of(tmp_path / "b.flac") == noise(16_000)).all()

    @pytest.mark.shared_data
    def test_it_decodes_a_real_interview(self, tmp_path: Path, shared_data: Path) -> None:
        recording = decode(shared_data / "interview" / "interview.mp3", tmp_path / "a.flac", max_duration_s=60)
        assert recording.duration_s == pytest.approx(56.8, abs=0.05)
        assert peaks(recording.path).max() > 0.2


class TestSlices:
    @pytest.fixture
    def recording(self, tmp_path: Path) -> Path:
        return write_flac(tmp_path / "a.flac", noise(320_008))  # 20,000.5 ms

    @pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 1), (0, 20_000), (1234, 5678), (19_999, 20_000), (7, 19_993)])
    def test_a_slice_is_exactly_the_samples_of_its_span(self, recording: Path, start_ms: int, end_ms: int) -> None:
        samples = read_slice(recording, start_ms, end_ms)
        expected = noise(320_008)[16 * start_ms : 16 * end_ms]
        assert samples.dtype == np.float32
        assert (samples * 32_768 == expected).all()

    @pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 20_000), (1234, 5678)])
    def test_a_clip_is_a_wav_of_exactly_the_span(self, recording: Path, start_ms: int, end_ms: int) -> None:
        content = slice_wav(recording, start_ms, end_ms)
        assert content[:4] == b"RIFF"
        assert len(content) == 44 + 2 * 16 * (end_ms - start_ms)
        with wave.open(io.BytesIO(content)) as clip:
            assert (clip.getnchannels(), clip.getsampwidth(), clip.getframerate()) == (1, 2, 16_000)
            assert clip.getnframes() == 16 * (end_ms - start_ms)
            samples = np.frombuffer(clip.readframes(clip.getnframes()), dtype="<i2")
        assert (samples == noise(320_008)[16 * start_ms : 16 * end_ms]).all()

    def test_a_duration_rounded_up_to_a_millisecond_is_inside(self, recording: Path) -> None:
        assert len(read_slice(recording, 19_000, 20_001)) == 16_008

    @pytest.mark.parametrize(
        ("start_ms", "end_ms"), [(0, 20_002), (20_001, 20_003), (-1, 100), (500, 500), (600, 500), (30_000, 31_000)]
    )
    @pytest.mark.parametrize("read", [read_slice, slice_wav])
    def test_a_span_that_is_not_inside_is_refused(
        self, recording: Path, read: Callable[[Path, int, int], Any], start_ms: int, end_ms: int
    ) -> None:
        with pytest.raises(StageError, match=rf"span {start_ms}-{end_ms} ms is not inside the recording of 20000 ms"):
            read(recording, start_ms, end_ms)

    @pytest.mark.parametrize("read", [lambda path: read_slice(path, 0, 10), lambda path: slice_wav(path, 0, 10), peaks])
    def test_a_missing_or_foreign_file_is_said(self, tmp_path: Path, read: Callable[[Path], Any]) -> None:
        with pytest.raises(StageError, match="missing or damaged"):
            read(tmp_path / "none.flac")
        (tmp_path / "text.flac").write_text("no sound")
        with pytest.raises(StageError, match="missing or damaged"):
            read(tmp_path / "text.flac")

    def test_a_file_that_ends_too_early_is_said(self, recording: Path) -> None:
        content = recording.read_bytes()
        recording.write_bytes(content[: len(content) // 2])
        with pytest.raises(StageError, match="damaged|too early"):
            read_slice(recording, 15_000, 16_000)
        with pytest.raises(StageError, match="damaged|too early"):
            peaks(recording)


class TestPeaks:
    def test_each_part_has_its_own_lowest_and_highest_sample(self, tmp_path: Path) -> None:
        samples = noise(100_003)
        outline = peaks(write_flac(tmp_path / "a.flac", samples), 70)
        assert outline.shape == (70, 2)
        assert outline.dtype == np.float32
        edges = [part * 100_003 // 70 for part in range(71)]
        for part, (lowest, highest) in enumerate(outline):
            own = samples[edges[part] : edges[part + 1]] / 32_768
            assert (lowest, highest) == (own.min(), own.max())

    def test_parts_larger_than_a_block_are_read_whole(self, tmp_path: Path) -> None:
        samples = np.zeros(16_000 * 25, dtype=np.int16)
        samples[5], samples[-5] = 1000, -2000
        assert peaks(write_flac(tmp_path / "a.flac", samples), 1) * 32_768 == pytest.approx(np.array([[-2000, 1000]]))

    def test_a_recording_shorter_than_the_outline_repeats_samples(self, tmp_path: Path) -> None:
        outline = peaks(write_flac(tmp_path / "a.flac", np.array([100, -200, 300], dtype=np.int16)), 6)
        assert (outline[:, 0] * 32_768).tolist() == [100, 100, -200, -200, 300, 300]
        assert (outline[:, 0] == outline[:, 1]).all()
