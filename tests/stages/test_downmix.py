"""One channel out of several: what would cancel is kept, what would clip is scaled, what is no number is refused."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from pipeline.stages.audio import decode
from pipeline.stages.downmix import Levels, default_weights
from pipeline.stages.errors import StageError
from tests.stages.sounds import encode, loudest_hz, sine

RATE = 16_000
ONE, OTHER = sine(440, 8.0), sine(1000, 8.0)
SILENCE = np.zeros_like(ONE)


def decoded(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    recording = decode(path, path.with_name("out.wav"))
    return sf.read(recording.path)[0], recording.notes


def written(path: Path, *channels: np.ndarray, subtype: str = "PCM_16", rate_hz: int = RATE) -> Path:
    sf.write(path, np.stack(channels, axis=1), rate_hz, subtype=subtype)
    return path


class TestPhase:
    @pytest.mark.parametrize("gain", [1.0, 0.9, 0.7])
    @pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8", "FLOAT"])
    def test_an_inverted_channel_does_not_silence_the_other(self, tmp_path: Path, gain: float, subtype: str) -> None:
        samples, notes = decoded(written(tmp_path / "a.wav", ONE, -gain * ONE, subtype=subtype))
        assert np.abs(samples - (1 + gain) / 2 * ONE).max() < 0.01
        assert notes == (
            "The channels are in opposite phase for 0:08 and would cancel each other in mono; one side was inverted "
            "before they were mixed.",
        )

    @pytest.mark.parametrize(
        ("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.webm", "libopus"), ("a.flac", "flac")]
    )
    def test_it_holds_for_every_codec(self, tmp_path: Path, name: str, codec: str) -> None:
        tone = sine(440, 4.0, 48_000)
        samples, notes = decoded(encode(tmp_path / name, np.stack([tone, -tone]), 48_000, codec))
        assert loudest_hz(samples) == pytest.approx(440, abs=1)
        assert np.abs(samples[8_000:-8_000]).max() == pytest.approx(0.5, abs=0.03)
        assert len(notes) == 1

    def test_where_only_a_part_is_inverted_one_channel_is_taken(self, tmp_path: Path) -> None:
        inverted = np.r_[ONE[: 5 * RATE], -ONE[5 * RATE :]]
        samples, notes = decoded(written(tmp_path / "a.wav", ONE, inverted))
        assert np.abs(samples - ONE).max() < 0.001
        assert len(notes) == 1
        assert "only channel" in notes[0]

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            (ONE, ONE),
            (ONE, SILENCE),
            (ONE, OTHER),
            (np.r_[ONE[: 4 * RATE], SILENCE[: 4 * RATE]], np.r_[SILENCE[: 4 * RATE], OTHER[4 * RATE :]]),
            (ONE, -0.3 * ONE),
            (ONE, np.roll(ONE, 9)),
            (np.r_[ONE[:-4_000], ONE[-4_000:]], np.r_[ONE[:-4_000], -ONE[-4_000:]]),
        ],
        ids=["same", "one silent", "two sounds", "in turns", "quieter inverted", "late", "a quarter second"],
    )
    def test_ordinary_stereo_is_the_mean_of_its_channels(
        self, tmp_path: Path, left: np.ndarray, right: np.ndarray
    ) -> None:
        samples, notes = decoded(written(tmp_path / "a.wav", left, right))
        assert notes == ()
        assert np.abs(samples - (left + right) / 2).max() <= 1.5 / 32_768

    def test_an_offset_does_not_hide_opposite_phase(self, tmp_path: Path) -> None:
        samples, notes = decoded(written(tmp_path / "a.wav", 0.4 * ONE + 0.5, -0.4 * ONE + 0.5))
        assert loudest_hz(samples[RATE:]) == pytest.approx(440, abs=1)
        assert len(notes) == 1

    def test_opposite_offsets_are_no_opposite_phase(self, tmp_path: Path) -> None:
        samples, notes = decoded(written(tmp_path / "a.wav", 0.4 * ONE + 0.5, 0.4 * ONE - 0.5))
        assert np.abs(samples - 0.4 * ONE).max() < 0.001
        assert notes == ()

    def test_the_usual_mix_is_known_from_the_resampler(self) -> None:
        assert default_weights("mono").tolist() == [1]
        assert default_weights("stereo").tolist() == [0.5, 0.5]
        surround = default_weights("5.1")
        assert surround.sum() == pytest.approx(1, abs=0.001)
        assert surround[3] == 0  # low frequencies

    def test_front_channels_of_surround_sound_that_cancel_are_kept(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.wav", ONE, -ONE, SILENCE, SILENCE, SILENCE, SILENCE)
        samples, notes = decoded(path)
        assert loudest_hz(samples) == pytest.approx(440, abs=1)
        assert np.abs(samples).max() > 0.1
        assert len(notes) == 1


class TestFloats:
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
    @pytest.mark.parametrize(("name", "subtype"), [("a.wav", "FLOAT"), ("a.wav", "DOUBLE"), ("a.aiff", "FLOAT")])
    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("place", [0, 77_777, 127_999])
    def test_what_is_no_number_is_refused(
        self, tmp_path: Path, value: float, name: str, subtype: str, channels: int, place: int
    ) -> None:
        samples = ONE.copy()
        samples[place] = value
        path = written(tmp_path / name, *[ONE] * (channels - 1), samples, subtype=subtype)
        with pytest.raises(StageError, match=r"holds samples that are no numbers \(NaN\), infinite or far"):
            decoded(path)
        assert [left.name for left in tmp_path.iterdir()] == [name]

    @pytest.mark.parametrize("factor", [2.2, 8, 65_536])
    @pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
    def test_values_above_one_are_scaled(self, tmp_path: Path, factor: float, subtype: str) -> None:
        samples, notes = decoded(written(tmp_path / "a.wav", factor * ONE, subtype=subtype))
        assert np.abs(samples - 2 * ONE).max() < 0.001
        assert len(notes) == 1
        assert f"reaches {factor / 2:,.2f} times full scale" in notes[0]

    def test_the_loudest_moment_counts_wherever_it_is(self, tmp_path: Path) -> None:
        loud = 0.5 * ONE
        loud[-40:] *= 8
        samples, notes = decoded(written(tmp_path / "a.wav", loud, subtype="FLOAT"))
        assert np.abs(samples - loud / np.abs(loud).max()).max() < 0.001
        assert len(notes) == 1

    @pytest.mark.parametrize("level", [1.0, 4.0])
    def test_a_click_does_not_make_the_speech_quiet(self, tmp_path: Path, level: float) -> None:
        sound = level * ONE
        sound[70_000] = 5_000
        samples, notes = decoded(written(tmp_path / "a.wav", sound, subtype="FLOAT"))
        assert np.abs(samples[:60_000]).max() == pytest.approx(min(1.0, level / 2), abs=0.01)
        assert len(notes) == (1 if level == 1 else 2)
        assert notes[0].startswith("A few clicks reach 5,000 times full scale")

    def test_phase_and_level_are_mended_together(self, tmp_path: Path) -> None:
        samples, notes = decoded(written(tmp_path / "a.wav", 6 * ONE, -6 * ONE, subtype="FLOAT"))
        assert np.abs(samples - 2 * ONE).max() < 0.001
        assert len(notes) == 2

    @pytest.mark.parametrize("peak", [0.3, 1.0])
    def test_floats_within_full_scale_are_as_before(self, tmp_path: Path, peak: float) -> None:
        samples, notes = decoded(written(tmp_path / "a.wav", 2 * peak * ONE, subtype="FLOAT"))
        assert notes == ()
        assert np.abs(samples - 2 * peak * ONE).max() < 2 / 32_768

    @pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac")])
    def test_lossy_codecs_that_overshoot_a_little_are_clipped_as_before(
        self, tmp_path: Path, name: str, codec: str
    ) -> None:
        square = 0.99 * np.sign(sine(300, 4.0, 44_100))
        samples, notes = decoded(encode(tmp_path / name, square[None], 44_100, codec))
        assert notes == ()
        assert np.abs(samples).max() > 0.99

    def test_a_lossy_recording_far_above_full_scale_is_scaled(self) -> None:
        # FFmpeg's encoders clip what is so loud; others do not.
        levels = Levels("mp3float")
        for number in range(40):
            loudness = 8 if number % 2 else 0.1
            samples = (loudness * sine(440, 0.75, 44_100)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            frame.sample_rate = 44_100
            levels.add(frame)
        mix, notes = levels.choose()
        assert mix is not None
        assert mix.gain == pytest.approx(1 / 4, rel=0.001)
        assert notes[0].startswith("The sound reaches 4.00 times full scale")

    def test_damaged_packets_do_not_change_the_level(self, tmp_path: Path) -> None:
        path = encode(tmp_path / "a.m4a", (0.4 * sine(440, 30.0, 44_100))[None], 44_100, "aac")
        content = bytearray(path.read_bytes())
        with av.open(str(path)) as container:
            packets = [(packet.pos or 0, packet.size) for packet in container.demux(audio=0) if packet.size]
        rng = np.random.default_rng(0)
        for position, size in packets[20::50]:
            content[position : position + size] = rng.bytes(size)
        path.write_bytes(content)
        samples, notes = decoded(path)
        assert np.median(np.abs(samples)) == pytest.approx(0.2 * np.sqrt(0.5), abs=0.01)
        assert not any("full scale" in note for note in notes)
        assert any("of sound are missing" in note for note in notes)
