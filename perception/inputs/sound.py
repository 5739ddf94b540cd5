"""Sounds: any sample rate, channels and length -> (samples,) 16-bit integers at one rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from lanista.errors import UsageError
from lanista.plugs import required

LOUDEST = 32767
FULL = 0.7  # of the loudest, to which each sound's peak is brought
QUIET = (0.02, 0.05)  # of the greatest loudness: below it, at both ends, is silence; the more, the noisier
FRAME = 0.01  # seconds, over which loudness is measured
MARGIN = 0.05  # seconds kept before and after what is not silent
SLOWEST, FASTEST = 1000, 192_000  # samples a second
GREATEST = 2**20  # samples of a window
MOST_SAMPLES = 2**26  # that a file may hold, over all channels


@dataclasses.dataclass(frozen=True)
class SoundInput:
    """Sounds are resampled, mixed to one channel, freed of silence at both ends, made equally loud and centred.

    Attributes:
        rate: samples a second.
        samples: of the window; a longer sound keeps its loudest part, a shorter one has silence around it.
        trim: take silence away at both ends.
    """

    rate: int = 8000
    samples: int = 10_000
    trim: bool = True

    name: ClassVar[str] = "sound"
    modality: ClassVar[str] = "sound"

    def __post_init__(self) -> None:
        if not SLOWEST <= self.rate <= FASTEST or not 1 <= self.samples <= GREATEST:
            raise UsageError(f"no sounds are like this: {self}")

    @property
    def space(self) -> spaces.Box:
        """(samples,) 16-bit integers; 32,767 is the loudest."""
        return spaces.Box(-LOUDEST - 1, LOUDEST, (self.samples,), np.int16)

    def fit(self, raw: Any, rate: int = 0) -> np.ndarray:
        """A list of (samples,) float32 in [-1, 1], of any lengths -> (n, samples).

        Args:
            raw: the sounds.
            rate: their samples a second; 0 for this input's own.
        """
        rows = np.zeros((len(raw), self.samples), np.int16)
        for row, wave in zip(rows, raw, strict=True):
            self._place(row, self._resampled(np.asarray(wave, np.float32), rate or self.rate))
        return rows

    def _resampled(self, wave: np.ndarray, rate: float) -> np.ndarray:
        if wave.ndim != 1:
            raise UsageError(f"a sound is (samples,), not {wave.shape}")
        if rate == self.rate or not len(wave):
            return wave
        required("soxr", "perception", "the input 'sound'")
        import soxr  # type: ignore[import-untyped]

        resampled: np.ndarray = soxr.resample(wave, rate, self.rate)
        return resampled

    def _place(self, row: np.ndarray, wave: np.ndarray) -> None:
        """Write a wave of this input's rate to the middle of a row of silence."""
        wave = level(trimmed(wave, self.rate) if self.trim else wave)
        extra = len(wave) - self.samples
        if extra > 0:
            # Of all windows the one with the most power: the word may be anywhere in a long recording.
            power = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
            inside = power[self.samples :] - power[: extra + 1]
            best = np.flatnonzero(inside >= 0.999 * inside.max())
            start = int(best[len(best) // 2])
            wave = wave[start : start + self.samples]
        start = (self.samples - len(wave)) // 2
        row[start : start + len(wave)] = np.rint(wave * LOUDEST)

    def read(self, source: str | Path) -> np.ndarray:
        """A sound file (wav, flac, ogg, mp3, au ...) -> (samples,).

        Raises:
            UsageError: it is missing, damaged, empty, of over 64 million samples, or no sound.
        """
        wave, rate = read_sound(source)
        fitted: np.ndarray = self.fit([wave], rate)[0]
        return fitted

    def describe(self) -> dict[str, Any]:
        """The fields, and "kind"."""
        return {"kind": self.name, **dataclasses.asdict(self)}


def level(wave: np.ndarray) -> np.ndarray:
    """A wave (samples,) whose peak is 0.7; what is no number is silence."""
    finite = np.nan_to_num(wave, posinf=0.0, neginf=0.0)
    peak = float(np.abs(finite).max(initial=0.0))
    scaled: np.ndarray = finite * (FULL / peak) if peak > 0 else finite
    return scaled


def trimmed(wave: np.ndarray, rate: int) -> np.ndarray:
    """A wave (samples,) without the silence at both ends, but for 50 ms; of one that is all silence nothing."""
    frame = max(1, round(rate * FRAME))
    count = len(wave) // frame
    if count < 2:
        return wave
    loudness = np.sqrt(np.square(wave[: count * frame].reshape(count, frame)).mean(1))
    # A tenth of a recording is seldom louder than its noise; where it is, the sound fills it and nothing is cut.
    noise = 2 * np.percentile(loudness, 10) / max(float(loudness.max()), 1e-9)
    loud = np.flatnonzero(loudness > np.clip(noise, *QUIET) * loudness.max())
    if not len(loud):
        return wave[:0]
    margin = round(rate * MARGIN)
    return wave[max(0, loud[0] * frame - margin) : (loud[-1] + 1) * frame + margin]


def read_sound(source: str | Path) -> tuple[np.ndarray, int]:
    """A sound file -> (samples,) float32 in [-1, 1], its channels averaged, and its samples a second.

    Raises:
        UsageError: it is missing, damaged, empty, of over 64 million samples, or no sound.
    """
    required("soundfile", "perception", "the input 'sound'")
    import soundfile

    path = Path(source)
    if not path.is_file():
        raise UsageError(f"there is no sound file {source}")
    try:
        with soundfile.SoundFile(path) as opened:
            if opened.frames * opened.channels > MOST_SAMPLES:
                raise UsageError(f"{source} has {opened.frames:,} samples, too many to read: cut it")
            rate = int(opened.samplerate)
            values = opened.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"{source} is damaged or no sound ({error})") from None
    if not len(values):
        raise UsageError(f"{source} holds no sound: it has 0 samples")
    if not SLOWEST <= rate <= FASTEST:
        raise UsageError(f"{source} has {rate} samples a second; {SLOWEST:,} to {FASTEST:,} can be read")
    return values.mean(1), rate


def read_sounds(sources: Sequence[Path], rate: int) -> list[np.ndarray]:
    """Sound files, all resampled to `rate`: a list of (samples,) float32.

    Raises:
        UsageError: one is damaged.
    """
    reader = SoundInput(rate)
    return [reader._resampled(*read_sound(source)) for source in sources]


INPUT = SoundInput
