"""Pauses of speech that were not transmitted: they are silence, and nothing is lost with them."""

from typing import Any

import av
import numpy as np

# 3GPP TS 26.101 and 26.201: frame types of silence descriptors and of frames without data, and the length of a frame.
_AMR_PAUSES = {"amrnb": range(8, 16), "amrwb": (9, 14, 15)}
_AMR_FRAME_S = 0.02
# Opus sends one packet in 400 ms while nobody speaks (RFC 7587, 3.1.3); stamps are rounded.
MAX_OPUS_PAUSE_S = 0.42
# Noise that counts as a pause lies below this, 40 dB under full scale; the quietest speech in a call is louder.
_QUIET_RMS = 0.01


def pause(codec_context: Any, packet: Any) -> list[Any]:
    """Give a silent frame for a packet of AMR that says that nobody speaks; FFmpeg takes it for a damaged one."""
    kinds = _AMR_PAUSES.get(codec_context.name)
    if kinds is None or not packet.size or bytes(packet)[0] >> 3 & 15 not in kinds:
        return []
    rate_hz = codec_context.sample_rate
    samples = np.zeros((1, round(_AMR_FRAME_S * rate_hz)), dtype=np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format=codec_context.format.name, layout=codec_context.layout.name)
    frame.sample_rate = rate_hz
    frame.pts = packet.pts
    return [frame]


def is_opus_pause(before: Any, after: Any, length_s: float) -> bool:
    """Whether a hole in a stream of Opus is one in which its encoder sent nothing: short, and quiet on both sides."""
    return length_s <= MAX_OPUS_PAUSE_S and before is not None and _is_quiet(before) and _is_quiet(after)


def _is_quiet(frame: Any) -> bool:
    samples = frame.to_ndarray()
    return samples.dtype.kind == "f" and float(np.mean(np.square(samples, dtype=np.float64))) < _QUIET_RMS**2
