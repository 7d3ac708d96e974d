"""Sound stands where its time stamps say: holes, overlaps, jitter, and stamps that make no sense."""

import tracemalloc
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile as sf

from pipeline.stages.audio import Recording, decode
from pipeline.stages.errors import StageError
from tests.stages.matroska import packets, write_matroska
from tests.stages.sounds import encode, noise, sine

RATE = 16_000
HOUR_MS = 3_600_000


def decoded(path: Path, **options: Any) -> tuple[Recording, np.ndarray]:
    recording = decode(path, path.with_name("out.wav"), **options)
    samples: np.ndarray = sf.read(recording.path, dtype="int16")[0]
    return recording, samples


def stretches(samples: np.ndarray, least: int = 300) -> list[tuple[int, int]]:
    """Start and end in samples of what is louder than `least`, pauses below 4 ms left out."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > least)
    breaks = np.flatnonzero(np.diff(loud) > 64)
    return list(
        zip(loud[np.r_[0, breaks + 1]].tolist(), (loud[np.r_[breaks, len(loud) - 1]] + 1).tolist(), strict=True)
    )


def remuxed(source: Path, target: Path, stamp: Any) -> Path:
    """The packets of a file with other time stamps, in seconds; those that get None are left out."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        stream = after.add_stream_from_template(before.streams.audio[0])
        for packet in before.demux(before.streams.audio[0]):
            if packet.pts is None:
                continue
            time_s = stamp(float(packet.pts * packet.time_base))
            if time_s is None:
                continue
            packet.pts = packet.dts = round(time_s / packet.time_base)
            packet.stream = stream
            after.mux(packet)
    return target


class TestHoles:
    def test_silence_of_the_right_length_takes_the_place_of_a_hole(self, tmp_path: Path) -> None:
        sound = noise(2 * RATE)
        blocks = packets(sound[:RATE], 0) + packets(sound[RATE:], 9_000)
        recording, samples = decoded(write_matroska(tmp_path / "a.mkv", blocks))
        assert recording.frames == 10 * RATE
        assert (samples[:RATE] == sound[:RATE]).all()
        assert not samples[RATE : 9 * RATE].any()
        assert (samples[9 * RATE :] == sound[RATE:]).all()
        assert recording.notes == ("0:08 of sound are missing between 0:01 and 0:09; silence stands in their place.",)

    @pytest.mark.parametrize(
        ("name", "codec", "rate_hz"),
        [
            ("a.mkv", "libopus", 48_000),
            ("a.webm", "libopus", 48_000),
            ("a.ogg", "libopus", 48_000),
            ("a.mka", "flac", 16_000),
            ("a.mka", "libmp3lame", 44_100),
            ("a.mp4", "aac", 44_100),
            ("a.ts", "aac", 48_000),
            ("a.flv", "aac", 44_100),
        ],
    )
    def test_it_holds_in_any_container(self, tmp_path: Path, name: str, codec: str, rate_hz: int) -> None:
        source = encode(tmp_path / f"source{Path(name).suffix}", sine(1000, 6.0, rate_hz)[None], rate_hz, codec)
        _, before = decoded(source)
        recording, samples = decoded(remuxed(source, tmp_path / name, lambda time_s: time_s + 2 * (time_s >= 3)))
        assert recording.frames - len(before) == pytest.approx(2 * RATE, abs=16)
        parts = stretches(samples, 4_000)
        assert len(parts) == 2
        # What stands behind the hole is the end of the tone.
        assert stretches(before, 4_000)[-1][1] + 2 * RATE == pytest.approx(parts[-1][1], abs=16)
        assert parts[1][0] - parts[0][1] == pytest.approx(2 * RATE, abs=16 * 12)
        assert len(recording.notes) == 1
        assert recording.notes[0].startswith("0:02 of sound are missing between 0:0")

    def test_lost_packets_are_made_up_for_one_by_one(self, tmp_path: Path) -> None:
        sound = noise(60 * RATE)
        lost = np.random.default_rng(1).choice(np.arange(10, 2990), 18, replace=False)
        blocks = [block for number, block in enumerate(packets(sound, 0)) if number not in lost]
        recording, samples = decoded(write_matroska(tmp_path / "a.mkv", blocks))
        assert recording.frames == 60 * RATE
        expected = sound.reshape(3000, 320).copy()
        expected[lost] = 0
        assert (samples == expected.reshape(-1)).all()
        assert len(recording.notes) == 1
        assert recording.notes[0].startswith("0.36 s of sound are missing at 18 places between 0:0")

    @pytest.mark.parametrize("seed", range(12))
    def test_each_burst_is_where_its_stamp_says(self, tmp_path: Path, seed: int) -> None:
        rng = np.random.default_rng(seed)
        blocks, expected, at_ms, filled_ms = [], [], 0, 0
        for _ in range(int(rng.integers(3, 9))):
            length_ms = 20 * int(rng.integers(15, 80))
            burst = rng.integers(5_000, 9_000, RATE * length_ms // 1000).astype(np.int16)
            blocks += packets(burst, at_ms, int(rng.choice([10, 20, 40])))
            start_ms = max(at_ms, filled_ms)
            expected.append((start_ms, burst[16 * (start_ms - at_ms) :]))
            filled_ms = max(filled_ms, at_ms + length_ms)
            at_ms += length_ms + int(rng.choice([0, 30, 700, 5_000, -40, -250]))
        _, samples = decoded(write_matroska(tmp_path / "a.mkv", blocks))
        assert len(samples) == 16 * filled_ms
        whole = np.zeros(16 * filled_ms, dtype=np.int16)
        for start_ms, burst in expected:
            whole[16 * start_ms : 16 * start_ms + len(burst)] = burst
        assert (samples == whole).all()

    def test_holes_do_not_shift_what_comes_long_after(self, tmp_path: Path) -> None:
        # Stamps rounded to a millisecond at 44.1 kHz, 400 holes of a length that no sample hits.
        blocks, time_s = [], 0.0
        sound = np.full(1_764, 8_000, dtype=np.int16)
        for _ in range(400):
            for _ in range(3):
                blocks.append((round(1000 * time_s), sound))
                time_s += 0.04
            time_s += 0.0337
        _, samples = decoded(write_matroska(tmp_path / "a.mkv", blocks, 44_100))
        starts = [start / RATE for start, _ in stretches(samples, 4_000)]
        assert len(starts) == 400
        np.testing.assert_allclose(starts, 0.1537 * np.arange(400), atol=0.0015)

    def test_a_hole_beyond_the_limit_is_not_believed(self, tmp_path: Path) -> None:
        blocks = packets(noise(RATE), 0) + packets(noise(RATE, 1), 200_000)
        recording, _ = decoded(write_matroska(tmp_path / "a.mkv", blocks), max_duration_s=60)
        assert recording.duration_s == 2
        assert "jump by 3:19 at 0:01" in recording.notes[0]


class TestOverlaps:
    def test_sound_with_the_times_of_what_was_there_is_cut(self, tmp_path: Path) -> None:
        sound = noise(8 * RATE)
        blocks = packets(sound[: 4 * RATE], 0) + packets(sound[4 * RATE :], 3_500)
        recording, samples = decoded(write_matroska(tmp_path / "a.mkv", blocks))
        assert (samples == np.delete(sound, np.s_[4 * RATE : 4 * RATE + RATE // 2])).all()
        assert len(recording.notes) == 1
        assert "0.5 s of sound at 0:03" in recording.notes[0]

    @pytest.mark.parametrize("start_ms", [0, 1_400, 10 * HOUR_MS])
    def test_a_file_joined_from_two_keeps_both(self, tmp_path: Path, start_ms: int) -> None:
        sound = noise(8 * RATE)
        blocks = packets(sound[: 4 * RATE], start_ms) + packets(sound[4 * RATE :], start_ms)
        recording, samples = decoded(write_matroska(tmp_path / "a.mkv", blocks))
        assert (samples == sound).all()
        assert "jump by 0:04 at 0:04" in recording.notes[0]


class TestNonsense:
    @pytest.mark.parametrize(
        "stamp",
        [
            lambda number: 20 * number + number % 3,  # jitter
            lambda number: 20 * number + (12 if number % 5 == 0 else 0),
            lambda number: 20 * number + (9_000 if number == 70 else 0),  # a single wrong one
            lambda number: 20 * number + 36_000_000,
            lambda number: 20 * number + number // 1000,  # a clock that is not exact
        ],
        ids=["rounding", "jitter", "outlier", "ten hours", "drift"],
    )
    def test_stamps_that_are_nearly_right_change_no_sample(self, tmp_path: Path, stamp: Any) -> None:
        sound = noise(10 * RATE)
        blocks = [(stamp(number), block) for number, (_, block) in enumerate(packets(sound, 0))]
        recording, samples = decoded(write_matroska(tmp_path / "a.mkv", blocks))
        assert (samples == sound).all()
        assert recording.notes == ()

    @pytest.mark.parametrize(
        "stamp",
        [
            lambda number: 0,
            lambda number: 7_000,
            lambda number: 20_000 * number,
            lambda number: 10_000 - 20 * number,
            lambda number: 20 * number + (5 * HOUR_MS if number >= 200 else 0),
            lambda number: 95_443_000 - 2_000 + 20 * number if number < 100 else 20 * (number - 100),
        ],
        ids=["zero", "all alike", "too large a unit", "backwards", "jump of hours", "wrapped"],
    )
    def test_stamps_without_sense_lose_nothing_and_are_noted(self, tmp_path: Path, stamp: Any) -> None:
        sound = noise(10 * RATE)
        blocks = [(stamp(number), block) for number, (_, block) in enumerate(packets(sound, 0))]
        recording, samples = decoded(write_matroska(tmp_path / "a.mkv", blocks))
        assert (samples == sound).all()
        assert any("time stamps" in note for note in recording.notes)

    def test_damage_in_an_mp3_leaves_the_rest_at_its_time(self, tmp_path: Path) -> None:
        tone = np.r_[sine(440, 10.0, 44_100), sine(1000, 10.0, 44_100)]
        content = bytearray(encode(tmp_path / "a.mp3", tone[None], 44_100, "libmp3lame").read_bytes())
        content[len(content) // 5 : 3 * len(content) // 10] = bytes(3 * len(content) // 10 - len(content) // 5)
        (tmp_path / "a.mp3").write_bytes(content)
        recording, samples = decoded(tmp_path / "a.mp3")
        assert recording.duration_s == pytest.approx(20.0, abs=0.06)
        second = np.abs(np.fft.rfft(samples[10 * RATE : 11 * RATE].astype(float)))
        assert int(np.argmax(second)) == pytest.approx(1000, abs=1)
        assert "0:02 of sound are missing between 0:0" in recording.notes[0]

    @pytest.mark.parametrize(
        ("name", "codec"),
        [
            ("a.mp3", "libmp3lame"),
            ("a.aac", "aac"),
            ("a.flac", "flac"),
            ("a.ogg", "libopus"),
            ("a.webm", "libopus"),
            ("a.m4a", "aac"),
            ("a.ts", "aac"),
            ("a.mka", "aac"),
        ],
    )
    @pytest.mark.parametrize("filling", ["zero", "random"])
    def test_damaged_bytes_do_not_shorten_a_recording(
        self, tmp_path: Path, name: str, codec: str, filling: str
    ) -> None:
        sound = 0.3 * noise(30 * 48_000).astype(float) / 32_768
        content = bytearray(encode(tmp_path / name, sound[None], 48_000, codec).read_bytes())
        whole, _ = decoded(tmp_path / name)
        start, length = len(content) // 2, len(content) // 25
        content[start : start + length] = bytes(length) if filling == "zero" else np.random.default_rng(0).bytes(length)
        (tmp_path / name).write_bytes(content)
        recording, _ = decoded(tmp_path / name)
        assert recording.duration_s == pytest.approx(whole.duration_s, abs=0.1)
        assert any("of sound are missing between 0:1" in note for note in recording.notes)


def test_the_limit_holds_for_sound_and_silence_together(tmp_path: Path) -> None:
    blocks = [block for part in range(10) for block in packets(noise(RATE), 8_000 * part)]
    path = write_matroska(tmp_path / "a.mkv", blocks)
    assert decoded(path)[0].duration_s == 73
    with pytest.raises(StageError, match="longer than the limit"):
        decoded(path, max_duration_s=9)


def test_a_live_stream_in_ogg_begins_late_and_is_not_too_long(tmp_path: Path) -> None:
    source = encode(tmp_path / "source.ogg", sine(440, 4.0, 48_000)[None], 48_000, "libopus")
    path = remuxed(source, tmp_path / "a.ogg", lambda time_s: time_s + 36_000)
    recording, _ = decoded(path, max_duration_s=60)
    assert recording.duration_s == pytest.approx(4.0, abs=0.03)
    assert recording.notes == ()


def test_a_long_hole_needs_no_memory(tmp_path: Path) -> None:
    path = write_matroska(tmp_path / "a.mkv", packets(noise(RATE), 0) + packets(noise(RATE), 1_500_000))
    tracemalloc.start()
    recording = decode(path, tmp_path / "out.wav")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert recording.frames == 1_501 * RATE
    assert most < 5_000_000


@pytest.mark.shared_data
def test_the_sentences_behind_a_hole_are_where_their_captions_say(tmp_path: Path, shared_data: Path) -> None:
    recording = decode(shared_data / "field" / "gapped.mkv", tmp_path / "a.wav")
    samples = sf.read(recording.path, dtype="int16")[0]
    pauses = [start for start, _ in stretches(np.convolve(np.abs(samples), np.ones(3200) / 3200, "same"), 60)]
    assert recording.duration_s == pytest.approx(29.69, abs=0.01)
    assert pauses[-1] / RATE == pytest.approx(25.97, abs=0.15)
