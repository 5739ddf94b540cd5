"""Missions said aloud by many synthetic voices, made once and kept."""

from __future__ import annotations

import logging
from functools import lru_cache

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array
from lanista.envs.instructed import Sound
from lanista.errors import UsageError

PARTS = ("train", "valid", "test")
LEAST, MOST = 0.5, 30.0  # seconds of a sound
LOUDNESS = (0.2, 1.0)  # of a sound, to that of the loudest
NOISY, NOISE = 0.6, (8.0, 35.0)  # share of the sounds; signal to noise, in dB
KEPT = 512  # missions whose sounds are kept in memory
QUIET = 150 / 32768  # of the loudest: what is never louder is silence
FULL, CLIPPED = (
    0.999,
    0.002,
)  # of the loudest: what reaches it in this share of its samples is clipped
log = logging.getLogger(__name__)


class Speakers:
    """Some voices of a part, and what they say."""

    def __init__(self, part: str, most: int, seconds: float) -> None:
        """Choose voices.

        Args:
            part: of `perception.data`'s voices; no two parts share one.
            most: so many of them, evenly over the part.
            seconds: of each sound.

        Raises:
            UsageError: a number cannot be, or a synthesiser is not on this machine.
        """
        from lanista.perception.data._cast import RATE, Part, cast  # with speech alone: it brings soxr and more
        from lanista.perception.inputs.sound import SoundInput

        if most < 1 or not LEAST <= seconds <= MOST:
            raise UsageError(f"a spoken mission needs 1 or more 'speakers' and {LEAST:g} to {MOST:g} 'seconds'")
        name: Part = part  # type: ignore[assignment]
        voices = cast(name)
        self._voices = voices[:: max(1, -(-len(voices) // most))]
        self._input = SoundInput(RATE, round(seconds * RATE))
        self._warned = False
        self._sounds = lru_cache(maxsize=KEPT)(self._made)

    @property
    def space(self) -> spaces.Box:
        """(samples,) 16-bit integers, 8,000 a second."""
        space: spaces.Box = self._input.space
        return space

    def say(self, words: str, chance: np.random.Generator, noise: bool) -> Array:
        """Words said by one of the voices: (samples,) int16.

        Args:
            words: what.
            chance: chooses the voice, the loudness and the noise.
            noise: whether there are these two.
        """
        sounds = self._sounds(words)
        sound: Array = sounds[int(chance.integers(len(sounds)))]
        if not noise:
            return sound
        wave = sound.astype(np.float32) * np.float32(chance.uniform(*LOUDNESS))
        if chance.random() < NOISY:
            power = float(np.mean(np.square(wave)))
            ratio = 10 ** (chance.uniform(*NOISE) / 10)
            wave += chance.standard_normal(len(wave), np.float32) * np.float32((power / ratio) ** 0.5)
        mixed: Array = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
        return mixed

    def say_once(self, words: str, chance: np.random.Generator) -> tuple[Array, float]:
        """Words that nobody will ask for again, said by one of the voices without noise.

        Returns:
            (samples,) int16, and how many seconds they take to say: what does not fit is cut.
        """
        from lanista.perception.data._cast import RATE, written
        from lanista.perception.inputs.sound import trimmed
        from lanista.perception.voices import speak

        (wave,) = speak([written(words)], self._voices[int(chance.integers(len(self._voices)))], RATE)
        sound: Array = self._input.fit([wave])[0]
        return sound, len(trimmed(wave, RATE)) / RATE

    def hear(self, sound: Sound) -> tuple[Array, list[str]]:
        """A recording as this game shows sounds: one channel, at its rate, levelled, cut or with silence around it.

        Returns:
            (samples,) int16, and sentences on what is wrong with it.

        Raises:
            UsageError: it is silent or empty, or no sound.
        """
        from lanista.perception.inputs.sound import FASTEST, SLOWEST, trimmed

        wave = np.asarray(sound.wave)
        if wave.ndim not in (1, 2) or wave.dtype.kind not in "if" or not SLOWEST <= sound.rate <= FASTEST:
            raise UsageError(f"this is no sound: {wave.dtype} {wave.shape}, {sound.rate} samples a second")
        whole = wave.astype(np.float32) / (32768 if wave.dtype.kind == "i" else 1)
        mono = np.nan_to_num(whole.mean(1) if whole.ndim == 2 else whole, posinf=0.0, neginf=0.0)
        if np.abs(mono).max(initial=0.0) < QUIET:
            raise UsageError("nothing is heard in this recording: speak nearer to the microphone")
        remarks = []
        if float(np.mean(np.abs(whole) >= FULL)) > CLIPPED:
            remarks.append("The recording is too loud, and clipped: speak further from the microphone")
        lasts = len(trimmed(mono, sound.rate)) / sound.rate
        if lasts > self.seconds:
            remarks.append(f"It lasts {lasts:.1f} seconds, and the agent hears the loudest {self.seconds:g} of them")
        fitted: Array = self._input.fit([mono], sound.rate)[0]
        return fitted, remarks

    @property
    def seconds(self) -> float:
        """Of what is heard."""
        return float(self._input.samples / self._input.rate)

    @property
    def rate(self) -> int:
        """Samples a second."""
        return int(self._input.rate)

    def _made(self, words: str) -> Array:
        """Words by all voices: (voices, samples)."""
        from lanista.perception.data._cast import said

        waves = said("missions", self._voices, [[words]] * len(self._voices)).inputs
        longest = max(len(wave) for wave in waves)
        if longest > self._input.samples and not self._warned:
            self._warned = True
            log.warning(
                "'%s' takes up to %.1f seconds to say, and is cut; give the game more 'seconds'",
                words[:60], longest / self._input.rate,
            )  # fmt: skip
        sounds: Array = self._input.fit(waves)
        return sounds
