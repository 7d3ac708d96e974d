"""How the channels of a recording become one: the mix that keeps the signal, and the level that fits 16 bits."""

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import av
import numpy as np

from pipeline.stages.sound_notes import length

# A mix has lost its sound where less than this is left of the energy that unrelated channels would have in it: 7 dB.
# Unrelated channels, one speaker on each, and one silent channel all leave 1; a correlation of -0.8 leaves 0.2.
MIN_KEPT_ENERGY = 0.2
# Blocks are judged that are at most 40 dB below the loud ones (one in twenty is louder), and above the noise of 16 bits
# (-90 dB).
LOUD_QUANTILE = 0.95
QUIET_ENERGY = 1e-4
SILENT_ENERGY = 1e-9
# The mix is changed where it loses both a second and a hundredth of the sound; a wide chord in a jingle is shorter.
MIN_LOST_S = 1.0
MIN_LOST_SHARE = 0.01
# Rounding to 16 bits clips nothing up to here.
FULL_SCALE = 1 + 1 / 65_536
# Scaling by a single wrong sample would leave nothing of the speech: 20 dB above all but a fiftieth of the blocks. With
# fewer blocks (each is less than a second) nothing is usual.
CLICK_RATIO = 10.0
MIN_BLOCKS = 4
# Lossy codecs overshoot in ordinary speech and music, by up to 3 dB. Twice full scale is a wrong level where a quarter
# of the blocks reaches it; damaged packets, which can decode to anything, are in fewer. The level of those blocks and
# 6 dB become full scale, or less where nearly nothing is as loud.
LOSSY_FULL_SCALE = 2.0
LOSSY_QUANTILES = (0.75, 0.99)
# Speech whose peaks reach twice full scale has more energy a sample than this: its crest factor is below 19 dB.
LOUD_ENERGY = 0.05
# The largest integers that are written as floats without being scaled have 32 bits.
LARGEST_PEAK = 2.0**31
LOSSLESS_FLOATS = ("pcm_f", "wavpack")
# A part of each block is enough to tell how the channels go together, and after the first of them (three quarters of a
# minute) a part of every second block; that keeps measuring near a hundredth of the time of decoding. Floats of
# lossless formats are looked at one and all.
MEASURED_SAMPLES = 4096
WHOLLY_MEASURED_BLOCKS = 64
_DTYPES = {"u8": np.uint8, "s16": np.int16, "s32": np.int32, "s64": np.int64, "flt": np.float32, "dbl": np.float64}
_FULL_SCALES = {"u8": 128.0, "s16": 32_768.0, "s32": 2_147_483_648.0, "s64": 2.0**63}


@dataclass(frozen=True)
class Mix:
    """A downmix other than FFmpeg's own.

    Attributes
    ----------
    weights : dict of str to np.ndarray [shape=(channels,)]
        By the name of the layout; layouts that are not here are mixed as FFmpeg does.
    gain : float
        What the samples are multiplied by.
    """

    weights: dict[str, np.ndarray] = field(default_factory=dict)
    gain: float = 1.0


class NotANumberError(ValueError):
    """A sample is NaN or infinite."""


def to_float(frame: Any, samples: int | None = None) -> list[np.ndarray]:
    """The first or all samples of a frame between -1 and 1, an array [shape=(n,)] for each channel.

    They are float64 where the frame has that, and float32 otherwise. A float frame is not copied.
    """
    kind = frame.format.name.removesuffix("p")
    n_channels = frame.layout.nb_channels
    count = frame.samples if samples is None else min(samples, frame.samples)
    if frame.format.is_planar:
        channels = [np.frombuffer(plane, dtype=_DTYPES[kind])[:count] for plane in frame.planes]
    else:
        packed = np.frombuffer(frame.planes[0], dtype=_DTYPES[kind])
        channels = [packed[channel : count * n_channels : n_channels] for channel in range(n_channels)]
    if kind in _FULL_SCALES:
        middle = np.float32(128 if kind == "u8" else 0)
        channels = [(channel.astype(np.float32) - middle) / np.float32(_FULL_SCALES[kind]) for channel in channels]
    return channels


@cache
def default_weights(layout: str) -> np.ndarray:
    """The share of each channel in FFmpeg's own mono mix [shape=(channels,)], measured at FFmpeg's resampler."""
    n_channels = len(av.AudioLayout(layout).channels)
    weights = np.zeros(n_channels)
    for channel in range(n_channels):
        samples = np.zeros((n_channels, 64), dtype=np.float32)
        samples[channel] = 0.5
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        mixed = [part.to_ndarray().reshape(-1) for part in (*resampler.resample(frame), *resampler.resample(None))]
        weights[channel] = np.concatenate(mixed)[32] / 16_384
    return weights


def candidates(layout: str) -> list[tuple[str, np.ndarray]]:
    """Mixes to choose from, the usual one first: (name, weights)."""
    usual = default_weights(layout)
    channels = av.AudioLayout(layout).channels
    names = [channel.name for channel in channels]
    if len(set(names)) < len(names):  # the file does not say where they belong
        names = [str(number) for number in range(1, len(names) + 1)]
    right = np.array([-1.0 if "R" in name else 1.0 for name in names])
    if len(names) == 2 and (right > 0).all():
        right[1] = -1.0
    singles = [(name, np.eye(len(names))[index]) for index, name in enumerate(names) if usual[index] > 0]
    return [("", usual), ("inverted", usual * right), *singles]


@dataclass
class _Blocks:
    """Measures of one layout: sums of the products of any two channels in each block (0-0, 1-0, 1-1, ...)."""

    products: list[list[float]] = field(default_factory=list)
    lengths_s: list[float] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)


class Levels:
    """Measures blocks of sound on their way through; says at the end whether another mix is needed."""

    def __init__(self, codec: str) -> None:
        self._lossless = codec.startswith(LOSSLESS_FLOATS)
        self._blocks: dict[str, _Blocks] = {}
        self._peaks: list[float] = []
        self._n_blocks = self._n_measured = 0
        self.seconds = 0.0
        self._measured_s = 0.0

    def add(self, frame: Any) -> None:
        """Measure a block.

        Raises
        ------
        NotANumberError
            A lossless format holds a sample that is NaN, infinite, or larger than any that sound has.
        """
        self.seconds += frame.samples / frame.sample_rate
        self._n_blocks += 1
        if not self._lossless and self._n_blocks > WHOLLY_MEASURED_BLOCKS and self._n_blocks % 2:
            return
        self._n_measured += 1
        is_float = frame.format.name.startswith(("flt", "dbl"))
        n_channels = frame.layout.nb_channels
        if not is_float and n_channels == 1:
            return
        channels = to_float(frame, None if self._lossless else MEASURED_SAMPLES)
        with np.errstate(over="ignore", invalid="ignore"):
            # An offset, as cheap sound cards add it, is no sound, and goes together as it likes.
            sound = [channel - channel.mean() for channel in channels] if n_channels > 1 else channels
            products = [float(one.dot(other)) for row, one in enumerate(sound) for other in sound[: row + 1]]
        # Only loud blocks are looked at for their peak, and those of which the sum is no number.
        if is_float and (self._lossless or not max(products) < LOUD_ENERGY * len(channels[0])):
            self._add_peak(channels)
        # A damaged packet of a lossy format can decode to anything; such a block says nothing about the mix.
        if n_channels > 1 and all(map(math.isfinite, products)):
            blocks = self._blocks.get(frame.layout.name)
            if blocks is None:
                blocks = self._blocks[frame.layout.name] = _Blocks()
            blocks.products.append(products)
            blocks.lengths_s.append(self.seconds - self._measured_s)
            blocks.samples.append(len(channels[0]))
        self._measured_s = self.seconds

    def _add_peak(self, channels: list[np.ndarray]) -> None:
        peaks = [max(float(channel.max()), -float(channel.min())) for channel in channels]
        # NaN in an array is its largest and its least value, and neither above nor below any number.
        if all(peak <= LARGEST_PEAK for peak in peaks):
            self._peaks.append(max(peaks))
        elif self._lossless:
            raise NotANumberError

    @property
    def peak(self) -> float:
        """The level that is to become full scale; 1 where nothing is to be changed."""
        if not self._peaks:
            return 1.0
        if self._lossless:
            peak = max(self._peaks)
            if peak > CLICK_RATIO * (usual := self._usual_peak):
                peak = usual
            return peak if peak > FULL_SCALE else 1.0
        quiet = [0.0] * (self._n_measured - len(self._peaks))
        usual, highest = np.quantile(quiet + self._peaks, LOSSY_QUANTILES).tolist()
        return min(highest, 2 * usual) if usual > LOSSY_FULL_SCALE else 1.0

    @property
    def _usual_peak(self) -> float:
        """The peak of the loudest block but for a fiftieth of them, at least full scale; that of all where few are."""
        peaks = sorted(self._peaks)
        but = max(1, len(peaks) // 50)
        return max(1.0, peaks[-1 - but]) if len(peaks) >= MIN_BLOCKS else peaks[-1]

    def choose(self) -> tuple[Mix | None, tuple[str, ...]]:
        """The mix that is needed instead of the usual one, or None; and what to say about it."""
        weights: dict[str, np.ndarray] = {}
        notes: list[str] = []
        for layout, blocks in self._blocks.items():
            name, chosen, lost_s, left_s = _best(layout, blocks)
            if lost_s < MIN_LOST_S or lost_s < MIN_LOST_SHARE * sum(blocks.lengths_s):
                continue
            notes.append(_mix_note(name, lost_s, left_s))
            if name:
                weights[layout] = chosen
        gain = 1.0
        if self._lossless and self._peaks and max(self._peaks) > CLICK_RATIO * self._usual_peak:
            notes.append(
                f"A few clicks reach {max(self._peaks):,.0f} times full scale, far above all other sound; they were "
                "clipped."
            )
        if (peak := self.peak) > 1:
            gain = 1 / peak
            notes.append(
                f"The sound reaches {peak:,.2f} times full scale; all of it was divided by {peak:,.2f}, so that "
                "nothing is clipped."
            )
        if not weights and gain == 1:
            return None, tuple(notes)
        return Mix(weights, gain), tuple(notes)


def _best(layout: str, blocks: _Blocks) -> tuple[str, np.ndarray, float, float]:
    """Name and weights of the best mix, the seconds that the usual one loses, and those that the best one loses."""
    n_channels = len(av.AudioLayout(layout).channels)
    products = np.empty((len(blocks.products), n_channels, n_channels))
    rows, columns = np.tril_indices(n_channels)
    products[:, rows, columns] = products[:, columns, rows] = np.array(blocks.products)
    lengths_s, samples = np.array(blocks.lengths_s), np.array(blocks.samples)
    mixes = candidates(layout)
    usual = mixes[0][1]
    energies = np.einsum("bcc->bc", products)
    unrelated = energies @ usual**2
    loudness = energies.max(axis=1) / samples
    heard = loudness > max(SILENT_ENERGY, QUIET_ENERGY * np.quantile(loudness, LOUD_QUANTILE))
    losses = []
    for _, weights in mixes:
        kept = np.einsum("c,bcd,d->b", weights, products, weights)
        losses.append(float(lengths_s[heard & (kept < MIN_KEPT_ENERGY * unrelated)].sum()))
    best = int(np.argmin(losses))
    return mixes[best][0], mixes[best][1], losses[0], losses[best]


def _mix_note(name: str, lost_s: float, left_s: float) -> str:
    cancelled = f"The channels are in opposite phase for {length(lost_s)} and would cancel each other in mono"
    if not name:
        return f"{cancelled}; what is heard there is nearly silent. Give a recording in mono."
    how = "one side was inverted before they were mixed" if name == "inverted" else f"only channel {name} was taken"
    rest = f"; {length(left_s)} are nearly silent all the same" if left_s >= MIN_LOST_S else ""
    return f"{cancelled}; {how}{rest}."
