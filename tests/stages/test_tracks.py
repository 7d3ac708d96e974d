"""Files with several tracks of sound, and sound that starts later than the recording."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile as sf

from pipeline.stages.audio import decode
from tests.stages.sounds import encode, loudest_hz, sine
from tests.stages.test_recording_time import remuxed, stretches

RATE = 16_000
SILENT = "The recording is silent, or so quiet that nothing of it is left; give a louder one."


def decoded(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    recording = decode(path, path.with_name("out.wav"))
    return sf.read(recording.path, dtype="int16")[0], recording.notes


def film(path: Path, *tracks: tuple[np.ndarray, str], disposition: Any = None) -> Path:
    """Several tracks of PCM, each with its language; the last one with a disposition."""
    with av.open(str(path), "w") as container:
        streams: list[Any] = []
        for _, language in tracks:
            stream: Any = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
            if language:
                stream.metadata["language"] = language
            streams.append(stream)
        if disposition is not None:
            streams[0].disposition = disposition
        for stream, (samples, _) in zip(streams, tracks, strict=True):
            for start in range(0, len(samples), 1600):
                part = (32_767 * samples[None, start : start + 1600]).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
                frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), start
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


ONE, OTHER, NOTHING = sine(440, 3.0), sine(1000, 3.0), np.zeros(3 * RATE)


@pytest.mark.parametrize("name", ["a.mkv", "a.mov"])
def test_another_track_is_taken_where_the_first_one_is_silent(tmp_path: Path, name: str) -> None:
    samples, notes = decoded(film(tmp_path / name, (NOTHING, ""), (OTHER, "")))
    assert loudest_hz(samples) == pytest.approx(1000, abs=1)
    assert notes == ("Track 1 of the sound is silent; track 2 was taken instead.",)


def test_the_english_track_is_taken(tmp_path: Path) -> None:
    samples, notes = decoded(film(tmp_path / "a.mkv", (ONE, "ger"), (OTHER, "eng")))
    assert loudest_hz(samples) == pytest.approx(1000, abs=1)
    assert notes == ("Of 2 tracks of sound, the English one was taken.",)


@pytest.mark.parametrize("languages", [("", ""), ("eng", "ger"), ("", "eng"), ("ger", "fre")])
def test_the_first_track_is_taken_without_a_word_else(tmp_path: Path, languages: tuple[str, str]) -> None:
    samples, notes = decoded(film(tmp_path / "a.mkv", (ONE, languages[0]), (OTHER, languages[1])))
    assert loudest_hz(samples) == pytest.approx(440, abs=1)
    assert notes == ()


def test_a_commentary_is_not_taken(tmp_path: Path) -> None:
    comment = av.stream.Disposition.comment
    samples, _ = decoded(film(tmp_path / "a.mkv", (ONE, "eng"), (OTHER, "eng"), disposition=comment))
    assert loudest_hz(samples) == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("level", [0.0, 1e-5, 1e-40])
def test_a_recording_of_which_16_bits_keep_nothing_is_said_to_be_silent(
    tmp_path: Path, subtype: str, level: float
) -> None:
    sf.write(tmp_path / "a.wav", level * ONE, RATE, subtype=subtype)
    assert decoded(tmp_path / "a.wav")[1] == (SILENT,)


def test_a_quiet_recording_is_no_silent_one(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.r_[NOTHING, 0.001 * ONE], RATE)
    assert decoded(tmp_path / "a.wav")[1] == ()


def test_an_edit_list_lets_sound_start_late(tmp_path: Path) -> None:
    source = encode(tmp_path / "source.m4a", sine(440, 3.0, 48_000)[None], 48_000, "aac")
    samples, notes = decoded(remuxed(source, tmp_path / "a.m4a", lambda time_s: time_s + 2))
    assert notes == ()
    assert stretches(samples, 4_000)[0][0] == pytest.approx(2 * RATE, abs=0.03 * RATE)


@pytest.mark.parametrize("name", ["a.mka", "a.ts"])
def test_a_recording_of_a_live_stream_begins_at_once(tmp_path: Path, name: str) -> None:
    source = encode(tmp_path / f"source{Path(name).suffix}", sine(440, 3.0, 48_000)[None], 48_000, "aac")
    samples, notes = decoded(remuxed(source, tmp_path / name, lambda time_s: time_s + 100))
    assert notes == ()
    assert stretches(samples, 4_000)[0][0] < 0.03 * RATE


def boxes(content: bytes) -> list[bytes]:
    found, position = [], 0
    while position < len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        found.append(content[position : position + length])
        position += length
    return found


def test_segments_from_the_midst_of_a_recording_stand_at_their_time(tmp_path: Path) -> None:
    tone = np.r_[sine(440, 6.0, 48_000), sine(1000, 3.0, 48_000)]
    options = {"movflags": "dash+global_sidx+frag_keyframe+empty_moov", "frag_duration": "1000000"}
    source = encode(tmp_path / "source.mka", tone[None], 48_000, "aac")
    with av.open(str(source)) as before, av.open(str(tmp_path / "a.m4a"), "w", options=options) as after:
        stream = after.add_stream_from_template(before.streams.audio[0])
        for packet in before.demux(audio=0):
            if packet.pts is not None:
                packet.stream = stream
                after.mux(packet)
    parts = boxes((tmp_path / "a.m4a").read_bytes())
    fragments = [number for number, part in enumerate(parts) if part[4:8] == b"moof"]
    kept = [*parts[: fragments[0]], *parts[fragments[5] :]]
    (tmp_path / "b.m4a").write_bytes(b"".join(kept))
    samples, notes = decoded(tmp_path / "b.m4a")
    assert len(notes) == 1
    assert "of sound are missing between 0:00 and 0:0" in notes[0]
    assert len(samples) == pytest.approx(9 * RATE, abs=0.05 * RATE)
    assert not samples[: 4 * RATE].any()
    assert loudest_hz(samples[round(6.1 * RATE) :]) == pytest.approx(1000, abs=1)
    assert loudest_hz(samples[round(5.2 * RATE) : round(5.9 * RATE)]) == pytest.approx(440, abs=3)


def test_a_whole_avi_in_which_the_sound_starts_late_is_not_cut_off(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.avi", sine(440, 3.0, 48_000)[None], 48_000, "ac3", picture=True, late_s=4.0)
    assert decoded(path)[1] == ()
