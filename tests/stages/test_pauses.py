"""Pauses that an encoder did not transmit are silence of the right length, and no loss."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.stages.audio import decode
from tests.stages.sounds import encode, sine
from tests.stages.test_recording_time import decoded, remuxed, stretches

RATE = 16_000
# Frames of AMR at 4.75 kbit/s (12 bytes of sound), a silence descriptor (5 bytes), and one without data.
SPEECH, DESCRIPTOR, NO_DATA = b"\x04" + bytes(range(60, 72)), b"\x44" + bytes(5), b"\x7c"


def amr(path: Path, frames: list[bytes]) -> Path:
    path.write_bytes(b"#!AMR\n" + b"".join(frames))
    return path


class TestAmr:
    def test_pauses_have_their_length_and_no_note(self, tmp_path: Path) -> None:
        pause = [DESCRIPTOR, *[NO_DATA] * 7] * 12
        frames = [*[SPEECH] * 50, *pause, *[SPEECH] * 50, *pause]
        recording, samples = decoded(amr(tmp_path / "a.amr", frames))
        assert recording.frames == pytest.approx(len(frames) * RATE // 50, abs=2)
        assert recording.notes == ()
        assert not samples[RATE + 400 : RATE * 146 // 50 - 400].any()
        assert samples[RATE * 146 // 50 : RATE * 196 // 50].any()

    def test_a_pause_may_stand_at_the_beginning(self, tmp_path: Path) -> None:
        recording = decode(amr(tmp_path / "a.amr", [*[NO_DATA] * 50, *[SPEECH] * 50]), tmp_path / "out.wav")
        assert recording.frames == pytest.approx(2 * RATE, abs=2)
        assert recording.notes == ()

    def test_they_are_the_same_in_3gp(self, tmp_path: Path) -> None:
        frames = [*[SPEECH] * 50, *[DESCRIPTOR, *[NO_DATA] * 7] * 12, *[SPEECH] * 50, *[NO_DATA] * 50]
        source = amr(tmp_path / "a.amr", frames)
        recording, _ = decoded(remuxed(source, tmp_path / "a.3gp", lambda time_s: time_s))
        assert recording.frames == pytest.approx(len(frames) * RATE // 50, abs=2)
        assert recording.notes == ()


class TestOpus:
    @staticmethod
    def spoken(path: Path) -> Path:
        tone = sine(440, 6.0, 48_000)
        tone[2 * 48_000 : 4 * 48_000] = 0
        return encode(path, tone[None], 48_000, "libopus")

    @pytest.mark.parametrize("name", ["a.webm", "a.mkv"])
    def test_a_pause_of_which_one_packet_in_twenty_was_sent_is_no_loss(self, tmp_path: Path, name: str) -> None:
        source = self.spoken(tmp_path / f"source{Path(name).suffix}")
        _, before = decoded(source)

        def sent(time_s: float) -> float | None:
            in_pause = 2.2 <= time_s < 3.9
            return None if in_pause and round(time_s * 50) % 20 else time_s

        recording, samples = decoded(remuxed(source, tmp_path / name, sent))
        assert recording.notes == ()
        assert len(samples) == pytest.approx(len(before), abs=16)
        assert stretches(samples, 4_000)[-1][0] == pytest.approx(4 * RATE, abs=0.02 * RATE)

    def test_a_hole_in_speech_of_the_same_length_is_one(self, tmp_path: Path) -> None:
        source = self.spoken(tmp_path / "source.webm")
        recording, _ = decoded(
            remuxed(source, tmp_path / "a.webm", lambda time_s: None if 0.99 < time_s < 1.37 else time_s)
        )
        assert len(recording.notes) == 1
        assert "of sound are missing at 0:00" in recording.notes[0] or "at 0:01" in recording.notes[0]

    def test_a_long_hole_between_silences_is_one(self, tmp_path: Path) -> None:
        source = self.spoken(tmp_path / "source.webm")
        recording, _ = decoded(
            remuxed(source, tmp_path / "a.webm", lambda time_s: time_s + 5 if time_s >= 3 else time_s)
        )
        assert len(recording.notes) == 1


def test_other_codecs_have_no_such_pauses(tmp_path: Path) -> None:
    sound = np.zeros(3 * 48_000)
    source = encode(tmp_path / "source.mka", sound[None], 48_000, "libmp3lame")
    recording, _ = decoded(remuxed(source, tmp_path / "a.mka", lambda time_s: None if 0.9 < time_s < 1.2 else time_s))
    assert any("missing" in note for note in recording.notes)
